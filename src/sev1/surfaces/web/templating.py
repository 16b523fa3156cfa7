"""The template engine: one environment, with the few words that every template may use."""

from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar import Litestar
from litestar.plugins.jinja import JinjaTemplateEngine
from markupsafe import Markup, escape

from sev1.command.model import STAGE_TITLES
from sev1.surfaces.actor import name_of
from sev1.surfaces.web import moments
from sev1.surfaces.web.assets import address
from sev1.surfaces.web.prose import markdown, plain_line, prose

TEMPLATES = Path(__file__).parent / "templates"


def configure_templates(engine: JinjaTemplateEngine) -> None:
    """The app's callback for its engine: raises on a name that a view forgot, so that no page is silently half empty."""
    configure(engine.engine)


def configure(environment: Environment) -> None:
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.auto_reload = False
    environment.globals |= {
        "asset": address,
        "ago": _ago,
        "at": _at,
        "since": _since,
        "due": _due,
        "left": _left,
        "severity": severity,
        "kept": _kept,
        "refusal": _refusal,
        "stage_titles": STAGE_TITLES,
    }
    environment.filters |= {
        "prose": prose,
        "markdown": markdown,
        "plain_line": plain_line,
        "spell": moments.spell,
        "iso": moments.iso,
        "name": lambda identity, catalog: name_of(catalog, identity),
    }


def severity(name: str | None, *, guess: bool = False) -> Markup:
    """The one place where a severity gets its colour: `SEV-1`, with a question mark while it is a guess."""
    if not name:
        return Markup("")
    mark = Markup('<span class="visually-hidden"> suggested</span><span aria-hidden="true">?</span>') if guess else ""
    return Markup('<span class="severity {}">{}{}</span>').format(name, name.upper(), mark)


@pass_context
def _ago(context: Context, instant: datetime) -> Markup:
    """`12 min`, kept fresh by the browser."""
    return _time(instant, moments.ago(instant, context["now"]), "ago")


@pass_context
def _left(context: Context, instant: datetime) -> Markup:
    """`6 min` or, in the last minute, `0:42`."""
    return _time(instant, moments.until(instant, context["now"]), "until")


@pass_context
def _at(context: Context, instant: datetime, *, mine: bool = True) -> Markup:
    """`03:14 UTC · 05:14 yours`; with `mine` false only the first."""
    now, zone = context["now"], context["zone"]
    text = moments.both(instant, now, zone) if mine else moments.clock(instant, now)
    return _time(instant, text)


@pass_context
def _since(context: Context, instant: datetime) -> Markup:
    """`12 min · 03:14 UTC · 05:14 yours`."""
    return Markup("{} · {}").format(_ago(context, instant), _at(context, instant))


@pass_context
def _due(context: Context, instant: datetime, before: str, after: str) -> Markup:
    """`before` with the time left in place of `{}`; once it has passed, `after` with how long ago."""
    late = instant <= context["now"]
    words = moments.ago(instant, context["now"]) if late else moments.until(instant, context["now"])
    return Markup('<time datetime="{}" class="{}" data-t="due" data-before="{}" data-after="{}">{}</time>').format(
        moments.iso(instant), "late" if late else "", before, after, (after if late else before).format(words)
    )


def _time(instant: datetime, words: str, kind: str = "") -> Markup:
    # A page has hundreds: `Markup.format` takes ten times as long as this.
    fresh = f' data-t="{kind}"' if kind else ""
    return Markup(f'<time datetime="{moments.iso(instant)}"{fresh}>{escape(words)}</time>')  # noqa: S704 - all ours or escaped


@pass_context
def _kept(context: Context, form: str, field: str, default: Any = "") -> Any:
    """What somebody typed into a form that was refused, else the default."""
    typed = context.get("typed")
    return typed.fields.get(field, "") if typed and typed.form == form else default


@pass_context
def _refusal(context: Context, form: str) -> str:
    """Why the form was refused, or nothing."""
    typed = context.get("typed")
    return typed.error if typed and typed.form == form else ""


def render(app: Litestar, template: str, context: dict[str, Any]) -> str:
    """A template as text, for what is sent outside an ordinary answer."""
    assert app.template_engine is not None
    return str(app.template_engine.get_template(template).render(**context))
