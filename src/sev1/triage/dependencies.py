"""Which services a service depends on, and by which path. Pure.

Circles are refused when a catalog is applied; here they end the walk all the same, because another release may have
stored one.
"""

from collections.abc import Mapping

from sev1.catalog.model import Catalog, Service

MOST_UPSTREAM = 200
"""Services that one walk visits."""

Paths = Mapping[str, tuple[str, ...]]
"""Upstream service -> the shortest path to it, from the service that depends to the one it depends on."""


def upstream(services: Mapping[str, Service], start: str, hops: int) -> Paths:
    """What `start` depends on within `hops` dependencies, nearest first; `start` itself is not among it."""
    found: dict[str, tuple[str, ...]] = {}
    edge: list[tuple[str, ...]] = [(start,)]
    for _ in range(hops):
        following: list[tuple[str, ...]] = []
        for path in edge:
            service = services.get(path[-1])
            for name in service.depends_on if service else ():
                if name not in found and name != start and len(found) < MOST_UPSTREAM:
                    found[name] = (*path, name)
                    following.append(found[name])
        edge = following
    return found


def holds_dependents(catalog: Catalog, service: str) -> bool:
    """Whether paging alerts of `service` hold the alerts of what depends on it."""
    known = catalog.services.get(service)
    if known is None:
        return False
    own = known.inhibit_dependents
    return catalog.organisation.inhibit_dependents if own is None else own


def causes_of(catalog: Catalog, service: str) -> Paths:
    """The services whose alerts may hold those of `service`. Services that depend on each other hold nothing."""
    hops = catalog.organisation.inhibit_hops
    return {
        name: path
        for name, path in upstream(catalog.services, service, hops).items()
        if holds_dependents(catalog, name) and service not in upstream(catalog.services, name, MOST_UPSTREAM)
    }


def common_upstream(catalog: Catalog, one: str, other: str, hops: int) -> str | None:
    """The nearest service that both depend on within `hops`, or one of the two that the other depends on."""
    ours = {one: (one,), **upstream(catalog.services, one, hops)}
    theirs = {other: (other,), **upstream(catalog.services, other, hops)}
    shared = [name for name in ours if name in theirs]
    return min(shared, key=lambda name: (len(ours[name]) + len(theirs[name]), name), default=None)


def path_in_words(path: tuple[str, ...]) -> str:
    """`checkout depends on payments-db`, `checkout depends on payments, which depends on payments-db`."""
    first, second, *rest = path
    return f"{first} depends on {second}" + "".join(f", which depends on {name}" for name in rest)
