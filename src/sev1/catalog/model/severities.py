"""How bad it is, in the organisation's words (mission 1.3)."""

from typing import Annotated

from msgspec import Meta

from sev1.catalog.model.fields import Object, Seconds, Text


class Severity(Object, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name` is `sev-0` … `sev-5`; a lower rank is worse."""

    name: Annotated[str, Meta(pattern=r"^sev-[0-5]$(?!\n)")]
    title: Text
    impact: Text
    respond_within_s: Seconds | None
    """Response target: 0 is immediate, None is "monitor only"."""
    update_every_min: Annotated[int, Meta(ge=5, le=1440)] | None = 30
    examples: tuple[str, ...] = ()
    command_h: Annotated[int, Meta(ge=1, le=24)] | None = None
    """Hours after which nobody should work in such an incident without a rest, so command changes hands before; None:
    4 for SEV-0 and SEV-1, 6 for SEV-2, 8 for the milder ones."""
    break_every_h: Annotated[int, Meta(ge=1, le=12)] = 2
    """Hours of work after which a break is proposed (mission 10.1)."""

    @property
    def rank(self) -> int:
        return int(self.name[-1])

    @property
    def command_hours(self) -> int:
        return self.command_h or (4 if self.rank <= 1 else 6 if self.rank == 2 else 8)

    @property
    def label(self) -> str:
        return self.name.upper()


DEFAULT_SEVERITIES: dict[str, Severity] = {
    s.name: s
    for s in (
        Severity(
            name="sev-1",
            title="Major outage",
            impact="Core features are down or badly degraded for many users",
            respond_within_s=180,
            update_every_min=30,
        ),
        Severity(
            name="sev-2",
            title="Moderate impact",
            impact="Several services or many users are affected; a workaround may exist",
            respond_within_s=300,
            update_every_min=30,
        ),
        Severity(
            name="sev-3",
            title="Degraded experience",
            impact="One service or a minor feature is affected",
            respond_within_s=900,
            update_every_min=60,
        ),
    )
}
"""Used when the catalog names none (mission 1.3: start with SEV-1 to SEV-3)."""
