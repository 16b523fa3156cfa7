"""Rights for a limited time, as each request finds them: read with the account, so the clock alone ends them (mission 7.6).

A grant adds the scopes of a higher role or opens one restricted incident. `access:write` is never among them: it could make
what is meant for an hour permanent.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sev1.access.model import SCOPES_OF, Principal, Role, Scope

NEVER_LENT: frozenset[Scope] = frozenset({"access:write"})


class Grant(Struct, frozen=True, kw_only=True):
    id: int
    role: Role | None = None
    incident: str | None = None


def active(actor: str, now: str) -> str:
    """SQL: the grants in force of the actor that the expression `actor` names, at the parameter `now`, as JSON."""
    return (
        "(SELECT jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'incident', g.incident) ORDER BY g.id)"
        f" FROM break_glass g WHERE g.actor = {actor} AND g.starts_at <= {now} AND g.ends_at > {now}"
        " AND g.ended_at IS NULL)"
    )


def with_grants(principal: Principal, found: Any) -> Principal:
    """The principal with what `found` (from `active`) lends them. Their own role stays what it is."""
    grants = msgspec.convert(found or [], tuple[Grant, ...])
    return _lent(principal, grants) if grants else principal


def _lent(principal: Principal, grants: Iterable[Grant]) -> Principal:
    grants = tuple(grants)
    scopes = {scope for grant in grants if grant.role for scope in SCOPES_OF[grant.role]} - NEVER_LENT
    return replace(
        principal,
        scopes=principal.scopes | scopes,
        opened=frozenset(grant.incident for grant in grants if grant.incident),
        grants=tuple(grant.id for grant in grants),
    )
