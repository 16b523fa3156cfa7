"""Only what needs me, in the order in which it needs me."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from sev1.catalog.model import Catalog, Override
from sev1.command import model as m
from sev1.oncall.model import EVERYBODY, Away
from sev1.oncall.schedule import on_call
from sev1.paging import model as p
from sev1.surfaces.web.now_view import now_view

NOW = datetime(2026, 3, 4, 3, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def page(key: str, *people: str, status: p.Status = "triggered") -> p.Page:
    return p.Page(key=key, status=status, people=tuple(p.Paged(person=name, because="on call") for name in people))


def incident(key: str, *, ic: str = "ana", severity: str = "sev-2", due_in: int = 9, **more: object) -> m.Incident:
    return m.Incident(
        key=key, status=more.pop("status", "open"), severity=severity, roles={"ic": (ic,)},  # type: ignore[arg-type]
        declared_at=NOW, started_at=NOW, next_update_at=NOW + due_in * MINUTE,
    )  # fmt: skip


def test_pages_that_wait_for_me_come_before_all_others(nordlicht: Catalog) -> None:
    pages = [page("P-1", "bo"), page("P-2", "bo", "ana"), page("P-3", "ana", status="acknowledged")]
    view = now_view(pages, [], nordlicht, {}, "ana", "UTC", NOW)
    assert [row.key for row in view.waiting] == ["P-2"]
    assert [row.key for row in view.other_pages] == ["P-1", "P-3"]
    assert not view.is_quiet


def test_incidents_where_i_hold_a_role_say_what_that_role_owes(nordlicht: Catalog) -> None:
    view = now_view([], [incident("INC-1"), incident("INC-2", ic="bo")], nordlicht, {}, "bo", "UTC", NOW)
    assert [(row.incident.key, row.roles) for row in view.mine] == [("INC-2", ("Incident Commander",))]
    assert view.mine[0].expected.startswith("Name an Operations lead")
    assert [row.key for row in view.other_incidents] == ["INC-1"]


def test_late_updates_come_first_then_the_worse_incident(nordlicht: Catalog) -> None:
    incidents = [
        incident("INC-1", severity="sev-3"),
        incident("INC-2", severity="sev-1"),
        incident("INC-3", severity="sev-3", due_in=-1),
        incident("INC-4", severity="sev-1", status="resolved"),
    ]
    view = now_view([], incidents, nordlicht, {}, "hana", "UTC", NOW)
    assert [row.key for row in view.other_incidents] == ["INC-3", "INC-2", "INC-1", "INC-4"]


def test_it_is_quiet_when_nothing_waits_for_me_and_says_until_when_i_am_on_call(nordlicht: Catalog) -> None:
    override = Override(person="hana", start=NOW - MINUTE, end=NOW + 3 * 60 * MINUTE)
    view = now_view([page("P-1", "bo")], [], nordlicht, {"payments-primary": [override]}, "hana", "Europe/Berlin", NOW)
    assert view.is_quiet
    assert view.duties == (
        "You are on call for Fulfilment until 08:00.",
        "You are on call for Payments until 07:14.",
    )


def test_on_a_day_on_which_a_schedule_is_closed_nobody_is_said_to_be_on_call(nordlicht: Catalog) -> None:
    """As in paging: a calendar of holidays counts for everybody of the schedule."""
    closed = replace(nordlicht.schedules["payments-primary"], on_holiday="gap")
    whole = replace(nordlicht, schedules={"payments-primary": closed})
    me = on_call(closed, NOW).person
    holiday = Away(person=EVERYBODY, start=NOW - MINUTE, end=NOW + 60 * MINUTE, kind="holiday", reason="Works holiday")
    assert len(now_view([], [], whole, {}, me, "UTC", NOW).duties) == 1
    assert now_view([], [], whole, {"payments-primary": [holiday]}, me, "UTC", NOW).duties == ()


def test_somebody_who_is_not_on_call_has_no_duty(nordlicht: Catalog) -> None:
    assert now_view([], [], nordlicht, {}, "ida@nordlicht.example", "UTC", NOW).duties == ()
