"""Whom a page asks, in which order, and how long it waits for each (mission 7.3)."""

from datetime import time
from typing import Annotated, Literal

from msgspec import Meta, Struct

from sev1.catalog.model.fields import MildSeverity, Object, Seconds, SeverityName, Slug, Text
from sev1.catalog.model.on_call import Restriction


class PersonTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="person"):
    name: Slug


class ScheduleTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="schedule"):
    name: Slug


class TeamTarget(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="team"):
    """Everyone in the team: the last resort."""

    name: Slug


Target = PersonTarget | ScheduleTarget | TeamTarget


Wait = Annotated[int, Meta(ge=10, le=24 * 3600)]
Windows = Annotated[tuple[Restriction, ...], Meta(max_length=20)]


class When(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must hold for a step to be taken: all that is written. A page without a severity counts as the worst."""

    severity_at_least: SeverityName | None = None
    """This severity or a worse one."""
    severity_at_most: SeverityName | None = None
    """This severity or a milder one."""
    hours: Windows = ()
    """Windows of local time, one of which must hold."""
    hours_of: Literal["policy", "person"] = "policy"
    """Whose clock: the policy's zone, or each person's own. By their own, those for whom it does not hold are left out."""


class WaitBySeverity(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={f"sev_{n}": f"sev-{n}" for n in range(6)},
):
    sev_0: Wait | None = None
    sev_1: Wait | None = None
    sev_2: Wait | None = None
    sev_3: Wait | None = None
    sev_4: Wait | None = None
    sev_5: Wait | None = None


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is not written is not stored either, so a release without the newer fields reads policies without them."""

    targets: Annotated[tuple[Target, ...], Meta(min_length=1)]
    wait_s: Wait = 300
    """How long this step has to be acknowledged before the next is paged."""
    wait_s_by_severity: WaitBySeverity | None = None
    """The same for single severities: `{sev-1: 30}`."""
    when: When | None = None
    """What must hold; otherwise the step is skipped, and the page says why."""
    round_robin: bool = False
    """One person a page: whose turn was longest ago. Teams count as their members."""
    prefer: Literal["awake"] | None = None
    """Those who are awake by their own clock are asked first, the others after half of the wait."""

    def wait_for(self, severity: str | None) -> int:
        """Seconds that a page of `severity` waits at this step."""
        waits = self.wait_s_by_severity
        own: int | None = getattr(waits, severity.replace("-", "_"), None) if waits and severity else None
        return self.wait_s if own is None else own


_OFFICE = (
    Restriction(days=("monday", "tuesday", "wednesday", "thursday", "friday"), start=time(9, 0), end=time(17, 0)),
)


class Hold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Pages that may wait until somebody is at work. What has no severity never waits."""

    severity_at_most: MildSeverity = "sev-3"
    """This severity or a milder one waits. SEV-0 and SEV-1 cannot."""
    hours: Annotated[tuple[Restriction, ...], Meta(min_length=1, max_length=20)] = _OFFICE
    """When people are paged at once, in the policy's zone."""


class EscalationPolicy(Object, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    title: Text
    time_zone: str = "UTC"
    """For `hours` of steps and of `hold`."""
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=20)]
    repeat: Annotated[int, Meta(ge=0, le=20)] = 2
    """How often the whole list is started again when nobody answers."""
    pause_s: Annotated[int, Meta(ge=0, le=24 * 3600)] = 0
    """How long to wait between the end of the list and its next start, on top of the last step's wait."""
    hold: Hold | None = None
    """Mild pages outside of office hours wait until these begin."""
    unattended_after_s: Seconds = 1800
    """An acknowledged page without an incident, a snooze or a new sign of life is paged again after this; 0 is never."""
    watch_fix_s: Annotated[int, Meta(ge=30, le=24 * 3600)] = 300
    """How long the alerts of a page are watched after somebody said that the fix is in."""
