"""Who may do what: roles, scopes, and the principal that every request carries."""

import re
from enum import StrEnum
from typing import Literal, get_args

from msgspec import Struct

from sev1.engine.errors import Invalid


class Role(StrEnum):
    """Ordered by what it may do: viewer < responder < admin."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    # All four are written out: a StrEnum would otherwise compare alphabetically, and "admin" < "viewer".
    def __lt__(self, other: str) -> bool:
        return self.rank < Role(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Role(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Role(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Role(other).rank


Scope = Literal[
    "read",  # everything that is not restricted
    "report",  # say that something is wrong (mission 1.1: anyone signed in)
    "alerts:write",  # silences, and putting away what was not understood
    "pages:write",  # acknowledge, escalate, reassign, snooze, resolve
    "incidents:write",  # every command of an incident
    "oncall:write",  # overrides
    "catalog:write",  # apply
    "access:write",  # people, tokens, keys: whoever holds it can get the rest
    "evidence:write",  # lift a legal hold, say how long evidence is kept
    "audit:read",
]
SCOPES: frozenset[Scope] = frozenset(get_args(Scope))

_VIEWER: frozenset[Scope] = frozenset({"read", "report"})
_RESPONDER: frozenset[Scope] = _VIEWER | {"alerts:write", "pages:write", "incidents:write", "oncall:write"}

SCOPES_OF: dict[Role, frozenset[Scope]] = {Role.VIEWER: _VIEWER, Role.RESPONDER: _RESPONDER, Role.ADMIN: SCOPES}

Theme = Literal["auto", "light", "dark", "contrast"]


class Principal(Struct, frozen=True, kw_only=True):
    """Who is asking, for the length of one request: read afresh each time, so a change of role counts at once."""

    kind: Literal["user", "token", "operator", "anonymous"]
    """`operator` is whoever has a shell on the server and uses the `sev1` command."""
    name: str
    """A user's email, a token's name."""
    display: str
    role: Role
    scopes: frozenset[Scope]
    user_id: int | None = None
    session_id: bytes | None = None
    """SHA-256 of the session's token; None for everybody who did not come with a session cookie."""
    theme: Theme = "auto"
    opened: frozenset[str] = frozenset()
    """Restricted incidents that are open to them for a limited time: they broke the glass."""
    grants: tuple[int, ...] = ()
    """Numbers of the time-boxed rights in force; every request made meanwhile is on the audit log."""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    @property
    def signed_in(self) -> bool:
        return self.kind != "anonymous"

    @property
    def actor(self) -> str:
        """The name for the audit log and for events: an email as it is, anything else with its kind."""
        return self.name if self.kind == "user" else f"{self.kind}:{self.name}"


ANONYMOUS = Principal(kind="anonymous", name="", display="", role=Role.VIEWER, scopes=frozenset())
OPERATOR = Principal(kind="operator", name="cli", display="sev1 command", role=Role.ADMIN, scopes=SCOPES)

_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def one_line(value: str, *, what: str, longest: int = 200, may_be_empty: bool = False) -> str:
    """`value` without the spaces around it. Raises Invalid when it is empty, longer than `longest` characters, or holds
    control characters: PostgreSQL refuses NUL, and text that turns around (U+202E) could forge a line of the audit log.
    """
    value = value.strip()
    if not value and not may_be_empty:
        raise Invalid(f"The {what} is missing.")
    if len(value) > longest:
        raise Invalid(f"The {what} is longer than {longest} characters.")
    if _UNPRINTED.search(value):
        raise Invalid(f"The {what} holds control characters.")
    return value
