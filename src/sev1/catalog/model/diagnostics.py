"""What a responder may have asked from the page that wakes them (mission 5.6)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from sev1.catalog.contact import Url
from sev1.catalog.model.fields import Slug
from sev1.catalog.model.senders import Cel

HeaderName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$(?!\n)")]
HeaderValue = Annotated[str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,998}[\x21-\x7e])?$(?!\n)")]
SecretName = Annotated[str, Meta(pattern=r"^DIAGNOSTIC_[A-Z0-9_]{1,88}$(?!\n)")]
"""Only variables made for it: a catalog must not be able to send the server's other secrets anywhere."""
RESERVED = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


class Diagnostic(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One HTTP request that says something about a service, run by a button."""

    name: Slug
    title: Annotated[str, Meta(min_length=1, max_length=80)]
    """What the button says it finds out."""
    url: Url
    method: Literal["GET", "POST"] = "GET"
    headers: Annotated[dict[HeaderName, HeaderValue], Meta(max_length=20)] = field(default_factory=dict)
    headers_env: Annotated[dict[HeaderName, SecretName], Meta(max_length=10)] = field(default_factory=dict)
    """Headers with a secret: the name of the environment variable that holds the whole value, such as `DIAGNOSTIC_METRICS`."""
    body: Annotated[str, Meta(max_length=8000)] = ""
    """Sent with a POST, as JSON unless `headers` say otherwise."""
    show: Cel | None = None
    """What of a JSON answer is shown, in CEL: `answer` is the answer, `status` its status. Without it the first 4 kB."""
    cost: Annotated[str, Meta(max_length=200)] = ""
    """What running it costs, such as "scans a day of logs": stands beside the button."""
    every_s: Annotated[int, Meta(ge=0, le=24 * 3600)] = 30
    """Of one service, it runs at most once in so many seconds, whoever asks from whichever page."""
    timeout_s: Annotated[int, Meta(ge=1, le=30)] = 10

    def __post_init__(self) -> None:
        if self.body and self.method != "POST":
            raise ValueError("only a POST has a `body`: add `method: POST`, or remove the body")
        named = [name.lower() for name in (*self.headers, *self.headers_env)]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"the header {twice[0]} is written twice: keep one")
        if taken := sorted(RESERVED.intersection(named)):
            raise ValueError(f"the header {taken[0]} is set by sev1: remove it")
