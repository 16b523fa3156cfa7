"""What the incident's landing page shows, as pure functions of its state (mission 8.4, design: five-second band)."""

from datetime import datetime

from msgspec import Struct

from sev1.catalog.model import Catalog, Service
from sev1.command import model as m
from sev1.command.decide import rank
from sev1.command.duties import DUTIES
from sev1.command.on_the_bridge import asked_to_write
from sev1.command.openings import most_wanted
from sev1.command.prompts import Prompt, prompt
from sev1.command.react import DEFAULT_RHYTHM_MIN
from sev1.measure.times import response_target, target_met, times
from sev1.surfaces.actor import name_of
from sev1.surfaces.web.moments import clock, spell
from sev1.surfaces.web.work_view import tasks_of

BAND_ROLES: tuple[m.Role, ...] = ("ic", "ops", "comms", "scribe")
"""The roles whose absence matters at first sight; the others are shown when somebody holds them."""
SHORT_TITLES: dict[m.Role, str] = {
    "ic": "IC",
    "ops": "Ops",
    "comms": "Comms",
    "scribe": "Scribe",
    "sme": "Expert",
    "support": "Support",
    "sponsor": "Sponsor",
    "security": "Security",
}
SETTABLE_STAGES: tuple[m.Stage, ...] = m.STAGES[:5]
"""Recovery and analysis follow from resolving and the all-clear."""
STATUS_WORDS: dict[m.Status, str] = {
    "none": "",
    "open": "open",
    "resolved": "resolved, waiting for the all-clear",
    "closed": "closed",
    "false_alarm": "closed as a false alarm",
    "merged": "merged into another",
}


class Holder(Struct, frozen=True, kw_only=True):
    person: str
    name: str
    is_me: bool


class RoleRow(Struct, frozen=True, kw_only=True):
    role: m.Role
    short: str
    title: str
    holders: tuple[Holder, ...]


class Dot(Struct, frozen=True, kw_only=True):
    """One of the seven stages."""

    stage: m.Stage
    title: str
    state: str
    """`past`, `now` or `ahead`."""


class Band(Struct, frozen=True, kw_only=True):
    """What, how bad, since when, who commands, what stage, what is due, what is expected of me; in this order."""

    incident: m.Incident
    severity_title: str
    status: str
    roles: tuple[RoleRow, ...]
    dots: tuple[Dot, ...]
    stage_title: str
    my_roles: tuple[str, ...]
    duties: tuple[tuple[str, tuple[str, ...]], ...]
    """Of the roles of whoever looks: title and what the role is there for."""
    prompt: Prompt | None
    """What whoever looks is asked, unless something more urgent is expected of them."""
    expected: str
    """The next thing for whoever looks, one sentence; empty for somebody who may only read and has nothing to do."""
    ended_at: datetime | None


def band(incident: m.Incident, catalog: Catalog, me: str, now: datetime) -> Band:
    severity = catalog.severities.get(incident.severity)
    mine = tuple(m.ROLE_TITLES[role] for role, held in incident.roles.items() if me in held)
    return Band(
        incident=incident,
        severity_title=severity.title if severity else "",
        status=STATUS_WORDS[incident.status],
        roles=tuple(row for row in role_rows(incident, catalog, me) if row.holders or row.role in BAND_ROLES),
        dots=dots(incident),
        stage_title=m.STAGE_TITLES[incident.stage],
        my_roles=mine,
        duties=tuple(
            (m.ROLE_TITLES[role], DUTIES[role]) for role in m.ROLE_TITLES if me in incident.roles.get(role, ())
        ),
        prompt=prompt(incident, me, now, rhythm_of(incident, catalog)),
        expected=expected_of(incident, me, catalog, now),
        ended_at=incident.resolved_at,
    )


def role_rows(incident: m.Incident, catalog: Catalog, me: str) -> tuple[RoleRow, ...]:
    """Every role with its holders, in the order of the book."""
    return tuple(
        RoleRow(
            role=role,
            short=SHORT_TITLES[role],
            title=title,
            holders=tuple(
                Holder(person=person, name=name_of(catalog, person), is_me=person == me)
                for person in incident.roles.get(role, ())
            ),
        )
        for role, title in m.ROLE_TITLES.items()
    )


def dots(incident: m.Incident) -> tuple[Dot, ...]:
    reached = m.STAGES.index(incident.stage)
    over = incident.status in m.OVER
    return tuple(
        Dot(
            stage=stage,
            title=m.STAGE_TITLES[stage],
            state="past" if n < reached or (n == reached and over) else "now" if n == reached else "ahead",
        )
        for n, stage in enumerate(m.STAGES)
    )


def expected_of(incident: m.Incident, me: str, catalog: Catalog, now: datetime) -> str:
    """What the visitor should do next, in one sentence: their own most urgent duty first."""
    return urgent_of(incident, me, catalog, now) or _duty_of(incident, me, catalog, now)


def rhythm_of(incident: m.Incident, catalog: Catalog) -> int | None:
    """Minutes between two updates; None for what is only watched."""
    severity = catalog.severities.get(incident.severity)
    return severity.update_every_min if severity else DEFAULT_RHYTHM_MIN


def urgent_of(incident: m.Incident, me: str, catalog: Catalog, now: datetime) -> str:
    """What does not wait: the end, command, a report or an update that is due; empty when there is nothing like that."""
    roles = {role for role, held in incident.roles.items() if me in held}
    commander = name_of(catalog, incident.commander)
    if not incident.is_open:
        return _after_the_end(incident, commander, commands=me == incident.commander)
    if of_command := _of_command(incident, me, commander, catalog, now):
        return of_command
    if (task := next(iter(tasks_of(incident, me)), None)) and task.due_at <= now:
        return f"{task.ref} is due: say how it stands. {task.text}"
    due = incident.next_update_at
    if due and due <= now and roles & {"ic", "comms"}:
        return f"The update promised for {clock(due, now)} is late. Post it."
    if incident.bridge.asked_at and me == asked_to_write(incident):
        return "What was decided on the bridge? Write it down, or say that nothing was."
    if "ic" in roles:
        return _of_successor(incident, catalog, now) or _of_answer(incident, catalog, now)
    return ""


def _duty_of(incident: m.Incident, me: str, catalog: Catalog, now: datetime) -> str:
    roles = {role for role, held in incident.roles.items() if me in held}
    commander = name_of(catalog, incident.commander)
    if "ic" in roles:
        return _of_commander(incident)
    if roles:
        return _of_role(incident, roles, commander, now)
    if task := next(iter(tasks_of(incident, me)), None):
        return f"{task.ref} until {clock(task.due_at, now)}: {task.text}"
    return _of_onlooker(incident, commander)


def _after_the_end(incident: m.Incident, commander: str, *, commands: bool) -> str:
    if incident.merging.into:
        return f"It goes on as {incident.merging.into}."
    if incident.status in m.OVER:
        return "It is over. The draft of the postmortem is there to read."
    if commands:
        return "Give the all-clear, so that everybody may stand down."
    return f"It is resolved. {commander} gives the all-clear."


def _of_command(incident: m.Incident, me: str, commander: str, catalog: Catalog, now: datetime) -> str:
    """What a change of command asks of `me`; empty when nothing."""
    offer, reach = incident.handover.offer, incident.reach
    if offer and offer.person == me:
        until = clock(offer.until, now)
        return f"{name_of(catalog, offer.by)} offers you command. Read the briefing and answer by {until}."
    if reach.unreachable_since and me in reach.offered:
        return f"{commander} does not answer. You are asked to take command: /takeover because …"
    if reach.call and me == incident.commander:
        return "You were called. Say something here, so that they know you command."
    return ""


def _of_answer(incident: m.Incident, catalog: Catalog, now: datetime) -> str:
    """That whoever commands was given command by somebody else and has not been heard of."""
    due = answer_due(incident, catalog)
    return f"You command. Do or say something here by {clock(due, now)}: that is the answer." if due else ""


def _of_successor(incident: m.Incident, catalog: Catalog, now: datetime) -> str:
    """That whoever commands should hand over, and to whom; empty while they are fresh."""
    stint = incident.pace.stints.get(incident.commander)
    if stint is None or not stint.handover_proposed or incident.handover.offer:
        return ""
    who = ", or ".join(f"{name_of(catalog, one.person)} ({one.because})" for one in stint.successors[:2])
    worked = spell(now - stint.since)
    return f"You have worked {worked}. Hand over: {who}." if who else f"You have worked {worked}. Find a successor."


def _of_onlooker(incident: m.Incident, commander: str) -> str:
    """Newcomers see what is needed and pick something instead of adding noise (mission 8.10)."""
    if wanted := most_wanted(incident):
        lead = f"Nobody has {wanted.ref} yet" if wanted.kind == "task" else "Needed now"
        return f"You hold no role. {lead}: {wanted.text}"
    return f"You hold no role. {commander} commands; ask what helps before you act."


def _of_role(incident: m.Incident, roles: set[m.Role], commander: str, now: datetime) -> str:
    """The next duty of somebody who does not command; of several roles the one nearest to the fix."""
    if "ops" in roles:
        if incident.mitigated_at is None:
            return f"Lead the fix, report to {commander}, and say when the impact is mitigated."
        return f"Lead the lasting fix and report to {commander}."
    if "comms" in roles:
        if incident.next_update_at:
            return f"Post the next update by {clock(incident.next_update_at, now)}."
        return "Post an update when something changes."
    if "scribe" in roles:
        return "Write down decisions, and what was tried, as they happen."
    return f"Be reachable for {commander}."


def _of_commander(incident: m.Incident) -> str:
    if not incident.missing:
        return "All four criteria hold. Resolve it."
    if not incident.roles.get("ops"):
        return "Name an Operations lead, so that you are free to command."
    if incident.update is None:
        return "Post the first update: condition, actions, needs."
    if incident.severity_assumed:
        return f"{incident.severity.upper()} is assumed. Lower it once you are certain, with the reason."
    if incident.commander_is_temporary:
        return "You command until somebody takes over. Hand over, or go on."
    if incident.mitigated_at is None:
        return "Keep the stage and the updates true until the impact is mitigated."
    return "Walk through the four criteria, then resolve."


class GateRow(Struct, frozen=True, kw_only=True):
    criterion: m.Criterion
    sentence: str
    mark: m.Mark | None
    by: str
    """Name of who confirmed or overrode it."""


class EarlierEnd(Struct, frozen=True, kw_only=True):
    ending: m.Ending
    by: str
    """Name of who reopened it."""
    marks: tuple[GateRow, ...]


def earlier_ends(incident: m.Incident, catalog: Catalog) -> tuple[EarlierEnd, ...]:
    """Ends that did not hold, the latest first."""
    return tuple(
        EarlierEnd(
            ending=ending,
            by=name_of(catalog, ending.reopened_by),
            marks=tuple(
                GateRow(criterion=criterion, sentence=m.CRITERIA[criterion], mark=mark, by=name_of(catalog, mark.by))
                for criterion, mark in ending.gate.items()
            ),
        )
        for ending in reversed(incident.earlier_ends)
    )


def gate_rows(incident: m.Incident, catalog: Catalog) -> tuple[GateRow, ...]:
    return tuple(
        GateRow(
            criterion=criterion,
            sentence=sentence,
            mark=(mark := incident.gate.get(criterion)),
            by=name_of(catalog, mark.by) if mark else "",
        )
        for criterion, sentence in m.CRITERIA.items()
    )


class AffectedService(Struct, frozen=True, kw_only=True):
    name: str
    service: Service | None
    """None for one that has left the catalog since."""
    dependents: tuple[str, ...]
    """Titles of the services that depend on it directly."""


class Measure(Struct, frozen=True, kw_only=True):
    label: str
    at: datetime | None
    taken: str
    """`after 4 min`; empty where it has not come to that."""
    remark: str = ""
    due_at: datetime | None = None
    """Until when it is wanted, while it has not come to that."""


class Picture(Struct, frozen=True, kw_only=True):
    update: m.Update | None
    update_by: str
    services: tuple[AffectedService, ...]
    measures: tuple[Measure, ...]


def picture(incident: m.Incident, catalog: Catalog) -> Picture:
    return Picture(
        update=incident.update,
        update_by=name_of(catalog, incident.update.by) if incident.update else "",
        services=tuple(_affected(name, catalog) for name in incident.services),
        measures=measures(incident, catalog),
    )


def _affected(name: str, catalog: Catalog) -> AffectedService:
    dependents = sorted((s for s in catalog.services.values() if name in s.depends_on), key=lambda s: (s.tier, s.title))
    return AffectedService(name=name, service=catalog.services.get(name), dependents=tuple(s.title for s in dependents))


def measures(incident: m.Incident, catalog: Catalog) -> tuple[Measure, ...]:
    """The five instants every incident is measured by, with how long each took and whether the target was met."""
    taken = times(incident)
    severity = catalog.severities.get(incident.severity)
    met = target_met(incident, severity)
    remark = ""
    if met is not None and severity and severity.respond_within_s is not None:
        target = "at once" if severity.respond_within_s == 0 else f"within {_spell_s(severity.respond_within_s)}"
        remark = f"{'target met' if met else 'target missed'}: {target}"
    due = answer_due(incident, catalog)
    rows = (
        ("Began", incident.started_at, None, ""),
        ("Detected", incident.detected_at, taken.to_detect, ""),
        ("Acknowledged", incident.acknowledged_at, taken.to_acknowledge, remark),
        ("Mitigated", incident.mitigated_at, taken.to_mitigate, ""),
        ("Resolved", incident.resolved_at, taken.to_resolve, ""),
    )
    return tuple(
        Measure(
            label=label,
            at=at,
            taken=f"after {spell(after)}" if after is not None else "",
            remark=remark,
            due_at=due if label == "Acknowledged" else None,
        )
        for label, at, after, remark in rows
    )


def answer_due(incident: m.Incident, catalog: Catalog) -> datetime | None:
    """Until when the severity wants an answer, while there is none."""
    if not incident.is_open or incident.acknowledged_at or incident.detected_at is None:
        return None
    target = response_target(incident, catalog.severities.get(incident.severity), incident.detected_at)
    return target.due_at if target else None


def _spell_s(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


class SeverityChoice(Struct, frozen=True, kw_only=True):
    name: str
    label: str
    title: str
    impact: str
    target: str
    lowers: bool


def severity_choices(catalog: Catalog, current: str | None = None) -> tuple[SeverityChoice, ...]:
    """The severities in use, worst first, each with its meaning and response target."""
    return tuple(
        SeverityChoice(
            name=s.name,
            label=s.label,
            title=s.title,
            impact=s.impact,
            target=_target(s.respond_within_s),
            lowers=current is not None and s.rank > rank(current),
        )
        for s in catalog.severities_worst_first()
    )


def _target(respond_within_s: int | None) -> str:
    if respond_within_s is None:
        return "watched only"
    if respond_within_s == 0:
        return "answered at once"
    return f"answered within {_spell_s(respond_within_s)}"


def worst_plausible(catalog: Catalog) -> str:
    """What unknown impact starts at: the worst severity but SEV-0 (mission 1.5)."""
    names = [s.name for s in catalog.severities_worst_first()]
    return next((name for name in names if rank(name) >= 1), "sev-1")
