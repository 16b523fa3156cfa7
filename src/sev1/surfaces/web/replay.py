"""`/catalog/replay`: a changed catalog tried against the past, before it goes live."""

from datetime import timedelta
from typing import cast, get_args

from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.handlers import HTTPRouteHandler
from litestar.response import Template

from sev1.access.declare import needs, takes_files
from sev1.engine.errors import Invalid, Sev1Error
from sev1.replay.model import Answers, Report
from sev1.replay.process import BODY_MAX, Replays
from sev1.replay.report import as_rows
from sev1.surfaces.injected import Replaying, SignedIn
from sev1.surfaces.web.visit import FORM_BYTES, Here, Typed, Visit, fields_of, show

DAYS = (1, 7, 30, 90)


@get("/catalog/replay", opt=needs("alerts:write"), include_in_schema=False)
async def show_replay(visit: Here) -> Template:
    return _page(visit)


@post(
    "/catalog/replay",
    opt=needs("alerts:write") | takes_files(),
    include_in_schema=False,
    request_max_body_size=BODY_MAX + FORM_BYTES,
    status_code=200,
)
async def run_replay(request: SignedIn, visit: Here, replays: Replaying) -> Template:
    """The form again, with what came out or why it was refused."""
    fields = await fields_of(request)
    form = await request.form()
    file = form.get("file")
    try:
        report = await _run(fields, file if isinstance(file, UploadFile) else None, replays, visit)
    except Sev1Error as error:
        return _page(visit, Typed(form="replay", fields=fields, error=error.message, status=error.status))
    return _page(visit, Typed(form="replay", fields=fields, error="", status=200), report)


async def _run(fields: dict[str, str], file: UploadFile | None, replays: Replays, visit: Visit) -> Report:
    pasted = fields.get("text", "").strip()
    packed = await file.read() if file else b""
    if pasted and packed:
        raise Invalid("Choose a file or paste YAML, one at a time.", field="file")
    days, answers = fields.get("days", ""), fields.get("answers", "")
    if days not in {str(one) for one in DAYS} or answers not in get_args(Answers):
        raise Invalid("Choose how far back, and how people answer.", field="days")
    since = visit.now - timedelta(days=int(days))
    return await replays.run(packed or pasted.encode(), since, visit.now, cast("Answers", answers))


def _page(visit: Visit, typed: Typed | None = None, report: Report | None = None) -> Template:
    return show(
        visit,
        "replay.html",
        section="catalog",
        typed=typed,
        report=report,
        rows=as_rows(report) if report else (),
        days=DAYS,
        most=BODY_MAX // 1024 // 1024,
    )


ROUTES: list[HTTPRouteHandler] = [show_replay, run_replay]
