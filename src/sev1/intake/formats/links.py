"""Links found in a payload. Only http and https become links: a `javascript:` URL is just text."""

import re
from collections.abc import Iterable

from sev1.intake.formats.limits import LINKS_MAX, TITLE_MAX, URL_MAX, cut
from sev1.intake.model import InboundLink

_WEB = re.compile(r"https?://[^\s\x00-\x1f\x7f<>\"]+", re.IGNORECASE)
_GRAFANA_RULE = "/alerting/"
_IMAGES = ("image", "image_url", "imageURL")

Titled = tuple[str, str | None]
"""(title, url)."""


def is_web(url: str) -> bool:
    return len(url) <= URL_MAX and _WEB.fullmatch(url) is not None


def links(*found: Titled) -> tuple[InboundLink, ...]:
    """The usable ones, each address once, in the given order."""
    kept: dict[str, str] = {}
    for title, url in found:
        if url and url not in kept and is_web(url):
            kept[url] = cut(title.strip(), TITLE_MAX) or url[:TITLE_MAX]
    return tuple(InboundLink(title=title, url=url) for url, title in list(kept.items())[:LINKS_MAX])


def from_annotations(annotations: dict[str, str], source: str | None) -> Iterable[Titled]:
    """The links that annotations hold by convention: runbook, dashboard, image, and Grafana's own way of naming one."""
    if url := annotations.get("runbook_url"):
        yield "Runbook", url
    if url := annotations.get("dashboard_url"):
        yield "Dashboard", url
    if url := next((annotations[name] for name in _IMAGES if annotations.get(name)), ""):
        yield "Image", url
    uid = annotations.get("__dashboardUid__")
    # Grafana's rule page is <root>/alerting/…, so its dashboards are found even under a sub-path.
    if uid and source and _GRAFANA_RULE in source:
        panel = annotations.get("__panelId__")
        root = source.partition(_GRAFANA_RULE)[0]
        yield "Dashboard", f"{root}/d/{uid}" + (f"?viewPanel={panel}" if panel else "")
