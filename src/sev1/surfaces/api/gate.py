"""`/api/v1/incidents/{key}/gate` and `/api/v1/mitigations`: what is known about the end, and what outlives it (mission 11)."""

from typing import Annotated

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from sev1.access.declare import needs
from sev1.command import store
from sev1.command.around import look_around
from sev1.command.gate import Precheck, prechecks, recovery_findings
from sev1.command.parts.recovery import STEPS, Tick
from sev1.command.sight import unknown
from sev1.command.temporary import Temporary, temporary
from sev1.surfaces.injected import Catalogs, Db, Looks, Now


class StepView(Struct, frozen=True, kw_only=True):
    ref: str
    step: str
    sentence: str
    tick: Tick | None
    owner: str | None
    findings: tuple[str, ...]


class GateView(Struct, frozen=True, kw_only=True):
    criteria: list[Precheck]
    checked: tuple[str, ...]
    """The services that were looked at: the affected ones and those that depend on them."""
    recovery: list[StepView]


@get("/api/v1/incidents/{key:str}/gate", opt=needs("read"), tags=["incidents"])
async def get_gate(key: FromPath[str], db: Db, catalogs: Catalogs, clock: Now, sight: Looks) -> GateView:
    """The four criteria and the eight steps of the recovery, each with what is known to speak against it."""
    async with db.connection() as conn:
        incident = await store.get(conn, key)
        if incident is None or not sight.sees(incident):
            raise unknown(key)
        around = await look_around(conn, await catalogs.current(conn), incident, clock.now())
    findings = recovery_findings(incident, around)
    return GateView(
        criteria=prechecks(incident, around),
        checked=around.checked,
        recovery=[
            StepView(
                ref=f"R{number}",
                step=step,
                sentence=sentence,
                tick=incident.recovery.ticks.get(step),
                owner=incident.recovery.owners.get(step),
                findings=findings.get(step, ()),
            )
            for number, (step, sentence) in enumerate(STEPS.items(), 1)
        ],
    )


@get("/api/v1/mitigations", opt=needs("read"), tags=["incidents"])
async def list_mitigations(
    db: Db, clock: Now, sight: Looks, owner: Annotated[str, QueryParameter(max_length=254)] = ""
) -> list[Temporary]:
    """What is temporary and not removed yet, over all incidents: what should be gone first."""
    async with db.connection() as conn:
        return await temporary(conn, sight, now=clock.now(), owner=owner)


ROUTES: list[HTTPRouteHandler] = [get_gate, list_mitigations]
