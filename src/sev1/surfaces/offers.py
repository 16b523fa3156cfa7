"""The diagnostics of a page's service, with what each said last. Pure (mission 5.6)."""

from urllib.parse import urlsplit

from msgspec import Struct

from sev1.catalog.model import Catalog
from sev1.paging.diagnostics import Run, on_offer
from sev1.paging.model import Page

OUTCOMES = {"running": "is running", "ok": "answered", "failed": "failed", "cut-off": "was cut off"}


class Offer(Struct, frozen=True, kw_only=True):
    """One diagnostic that may be run from the page."""

    name: str
    title: str
    asks: str
    """Which host, and how: `GET metrics.nordlicht.example`."""
    cost: str
    every_s: int
    in_runbook: bool
    run: Run | None
    """The latest on this page."""


def offers(page: Page, catalog: Catalog) -> tuple[Offer, ...]:
    runs = {run.name: run for run in page.diagnostics}
    return tuple(
        Offer(
            name=one.name,
            title=one.title,
            asks=f"{one.method} {urlsplit(one.url).hostname}",
            cost=one.cost,
            every_s=one.every_s,
            in_runbook=in_runbook,
            run=runs.get(one.name),
        )
        for one, in_runbook in on_offer(catalog, page.service)
    )
