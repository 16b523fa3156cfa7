"""`/incidents/INC-1/gate`: what is known about the end; `/mitigations`: what outlives it (missions 11.1, 11.2, 11.4)."""

from collections.abc import Mapping
from datetime import datetime

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response import Template
from msgspec import Struct

from sev1.access.declare import needs
from sev1.catalog.model import Catalog
from sev1.command import model as m
from sev1.command import store
from sev1.command.around import look_around
from sev1.command.gate import prechecks, recovery_findings
from sev1.command.parts.recovery import STEPS, Step
from sev1.command.sight import unknown
from sev1.command.temporary import temporary
from sev1.surfaces.actor import name_of
from sev1.surfaces.injected import Db
from sev1.surfaces.web.board_view import Line
from sev1.surfaces.web.visit import Here, show


class StepRow(Struct, frozen=True, kw_only=True):
    ref: str
    step: str
    sentence: str
    ticked_by: str
    ticked_at: datetime | None
    note: str
    applies: bool
    owner: str
    findings: tuple[str, ...]
    lines: tuple[Line, ...]


def step_rows(
    incident: m.Incident, catalog: Catalog, findings: Mapping[Step, tuple[str, ...]] | None = None
) -> tuple[StepRow, ...]:
    """The eight steps, once the incident is resolved; before it there are none."""
    recovery = incident.recovery
    if recovery.began_at is None:
        return ()
    rows = []
    for number, (step, sentence) in enumerate(STEPS.items(), 1):
        ref, tick, owner = f"R{number}", recovery.ticks.get(step), recovery.owners.get(step, "")
        rows.append(
            StepRow(
                ref=ref,
                step=step,
                sentence=sentence,
                ticked_by=name_of(catalog, tick.by) if tick else "",
                ticked_at=tick.at if tick else None,
                note=tick.note if tick else "",
                applies=tick.applies if tick else True,
                owner=name_of(catalog, owner) if owner else "",
                findings=(findings or {}).get(step, ()),
                lines=_lines(ref, ticked=tick is not None),
            )
        )
    return tuple(rows)


def _lines(ref: str, *, ticked: bool) -> tuple[Line, ...]:
    if ticked:
        return (Line(label="take back", line=f"/withdraw {ref} because "),)
    return (
        Line(label="done", line=f"/recovered {ref} "),
        Line(label="does not apply", line=f"/recovered {ref} does not apply because "),
        Line(label="who", line=f"/recovery {ref} @"),
    )


@get("/incidents/{key:str}/gate", opt=needs("read"), include_in_schema=False)
async def show_gate(key: FromPath[str], db: Db, visit: Here) -> Template:
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        if incident is None or not visit.sight.sees(incident):
            raise unknown(key)
        around = await look_around(conn, visit.catalog, incident, visit.now)
    return show(
        visit,
        "gate.html",
        section="incidents",
        incident=incident,
        criteria=prechecks(incident, around),
        checked=around.checked,
        steps=step_rows(incident, visit.catalog, recovery_findings(incident, around)),
    )


@get("/mitigations", opt=needs("read"), include_in_schema=False)
async def list_mitigations(db: Db, visit: Here, whose: FromQuery[str] = "") -> Template:
    """With `whose=mine` those of the visitor."""
    mine = whose == "mine"
    async with db.connection() as conn:
        rows = await temporary(conn, visit.sight, now=visit.now, owner=visit.me if mine else "")
    return show(visit, "mitigations.html", section="incidents", rows=rows, mine=mine)


ROUTES: list[HTTPRouteHandler] = [show_gate, list_mitigations]
