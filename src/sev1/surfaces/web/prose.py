"""Text that people wrote, made safe to show: plain prose with its references linked, and Markdown runbooks."""

import re
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from sev1.catalog.runbook import question

_REFERENCE = re.compile(
    r"(?P<url>https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])|\b(?P<kind>INC|P|A|SIG)-(?P<number>[0-9]{1,18})\b"
)
_FOLDER = {"INC": "/incidents/INC-", "P": "/pages/P-", "A": "/alerts/", "SIG": "/signals/"}
_CHECKBOX = re.compile(r"<li>(<p>)?\[(?P<mark>[ xX])\] ?")
_BRANCH = re.compile(r"<li>(?P<p><p>)?(?:[Ii]f\s+(?P<asks>(?:[^<\n]|</?code>)+?)|[Ee]lse[,:]?)\s*(?:-&gt;|→)\s*(?=\S)")
_CUE = re.compile(r"<p>(?P<sign>🛑 |✅ )?(?P<cue>STOP|VERIFY|DONE):?\s")

TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s",
    "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])


def prose(text: str) -> Markup:
    """Escaped text in which INC-1, P-1, A-1, SIG-1 and web addresses are links. Line breaks stay (the style keeps them)."""
    if "-" not in text and "://" not in text:  # most texts: a page has a hundred
        return escape(text)
    parts: list[str | Markup] = []
    end = 0
    for found in _REFERENCE.finditer(text):
        parts += [escape(text[end : found.start()]), _link(found)]
        end = found.end()
    parts.append(escape(text[end:]))
    return Markup("").join(parts)


def _link(found: re.Match[str]) -> Markup:
    if url := found["url"]:
        return Markup('<a href="{}" rel="noreferrer noopener">{}</a>').format(url, url)
    return Markup('<a href="{}">{}</a>').format(_FOLDER[found["kind"]] + found["number"], found[0])


@lru_cache(maxsize=256)
def markdown(text: str, *, without_title: bool = False, lower_by: int = 1) -> Markup:
    """Markdown as HTML, twice safe: raw HTML is not parsed, and what comes out passes an allow-list.

    Headings are lowered, because the page has its own first one; checklist items become boxes to read, not to tick.
    """
    if without_title:
        text = re.sub(r"\A\s*#[^\n]*\n", "", text, count=1)
    html = _markdown.render(text)
    html = re.sub(r"<(/?)h([1-6])>", lambda h: f"<{h[1]}h{min(int(h[2]) + lower_by, 6)}>", html)
    clean = nh3.clean(html, tags=TAGS, attributes={"a": {"href", "title"}}, link_rel="noreferrer noopener",
                      url_schemes={"http", "https", "mailto"})  # fmt: skip
    # Added after cleaning, from our own text alone: boxes, and the cues that must be seen at a glance.
    clean = _BRANCH.sub(_branch, _CHECKBOX.sub(_box, clean))
    return Markup(_CUE.sub(_cue, clean))  # noqa: S704 - cleaned above


def plain_line(text: str) -> Markup:
    """One line of Markdown (a runbook's first step) with its `code` and emphasis, without a paragraph around it."""
    clean = nh3.clean(_markdown.renderInline(text), tags={"code", "em", "strong", "a"},
                      attributes={"a": {"href"}}, link_rel="noreferrer noopener")  # fmt: skip
    return Markup(clean)  # noqa: S704 - cleaned on this line


def _box(found: re.Match[str]) -> str:
    state, sign = ("done: ", "☑") if found["mark"] in "xX" else ("to do: ", "☐")
    return (
        f'<li class="box">{found[1] or ""}<span aria-hidden="true">{sign}</span> '
        f'<span class="visually-hidden">{state}</span>'
    )


def _branch(found: re.Match[str]) -> str:
    """An item `if … -> …` as a question with its answer (mission 5.6)."""
    asks = question(found["asks"]) if found["asks"] else "Else"
    return f'<li class="branch">{found["p"] or ""}<strong>{asks}</strong> → '


def _cue(found: re.Match[str]) -> str:
    cue = found["cue"]
    return f'<p class="cue cue-{cue.lower()}">{found["sign"] or ""}<strong>{cue}</strong> '
