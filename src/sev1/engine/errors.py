"""The error tree. Each error carries a code (stable, for programs), a sentence (for people) and data.

Sev1Error
├── Refused            the request breaks a rule of the domain          409
│   └── Conflict       somebody else changed the same thing first       409
├── Invalid            the request is malformed or incomplete           400
├── NotFound           there is no such thing, or not for you           404
├── Forbidden          signed in, but not allowed                       403
├── SignInNeeded       not signed in                                    401
├── TooMany            a rate limit; try again after `retry_after_s`    429
├── TooLarge           the body is over the limit                       413
└── Unavailable        we cannot take this right now; nothing was kept  503
"""

from typing import Any, ClassVar


class Sev1Error(Exception):
    """Root of all errors that a user may see. `message` says what is wrong and what to do next."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class Refused(Sev1Error):
    code = "refused"
    status = 409


class Conflict(Refused):
    code = "conflict"


class Invalid(Sev1Error):
    code = "invalid"
    status = 400


class NotFound(Sev1Error):
    code = "not_found"
    status = 404


class Forbidden(Sev1Error):
    code = "forbidden"
    status = 403


class SignInNeeded(Sev1Error):
    code = "sign_in_needed"
    status = 401


class TooMany(Sev1Error):
    code = "too_many"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int, **data: Any) -> None:
        super().__init__(message, retry_after_s=retry_after_s, **data)
        self.retry_after_s = retry_after_s


class TooLarge(Sev1Error):
    code = "too_large"
    status = 413


class Unavailable(Sev1Error):
    code = "unavailable"
    status = 503
