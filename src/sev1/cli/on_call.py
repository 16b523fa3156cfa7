"""`sev1 oncall …`: who is on call, what is to be mended, leave and overrides, over the API as in `respond`."""

from typing import Any
from urllib.parse import quote

import typer

from sev1.cli.respond import call

START = typer.Argument(help="With its offset: 2026-03-02T09:00:00+01:00.")
END = typer.Argument(help="Likewise.")


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="On call: who, gaps and overlaps, health, leave, overrides.")
    for command in (now, warnings, health, feeds):
        group.command()(command)
    leave = typer.Typer(no_args_is_help=True, help="Who is away.")
    leave.command("add")(add_leave)
    leave.command("list")(list_leave)
    leave.command("remove")(remove_leave)
    group.add_typer(leave, name="leave")
    override = typer.Typer(no_args_is_help=True, help="Who covers for whom.")
    override.command("add")(add_override)
    override.command("list")(list_overrides)
    override.command("remove")(remove_override)
    group.add_typer(override, name="override")
    app.add_typer(group, name="oncall")


def now() -> None:
    """Who is on call for what, until when, and who is next."""
    for one in call("GET", "/api/v1/on-call"):
        present, following = one["now"], one["next"]
        who = f"{present['person']} until {present['end']}" if present else "NOBODY"
        then = f", then {following['person']} from {following['start']}" if following else ""
        print(f"{one['schedule']}  {who}{then}")


def warnings() -> None:
    """What is to be mended: gaps, overlaps, stand-ins, people out of reach, shifts that break a limit of their team."""
    said = set()
    for name, found in call("GET", "/api/v1/on-call/warnings").items():
        for one in found:
            # What is of several schedules is said once.
            if one["schedules"] and one["sentence"] in said:
                continue
            said.add(one["sentence"])
            print(f"{name}  {one['kind']}  {one['sentence']}")
    for one in call("GET", "/api/v1/on-call/breaches"):
        said.add(one["sentence"])
        print(f"limit {one['limit']}  {one['sentence']}")
    if not said:
        print("Nothing is to be mended in the next 30 days.")


def health(team: str) -> None:
    """A quarter of on call: hours, pages, nights, and whether they are shared fairly."""
    found = call("GET", f"/api/v1/on-call/health?team={quote(team, safe='')}")
    for one in found["people"] if found["people"] is not None else [found["mine"]]:
        print(
            f"{one['person']}  {one['hours']:g} h  {one['pages']} pages  {one['night_pages']} at night"
            f"  {one['interrupted_nights']} nights broken"
        )
    for name, one in found["fairness"].items():
        if name != "uneven":
            print(f"{name.replace('_', ' ')}: middle {one['median']:g}, from {one['least']:g} to {one['most']:g}")
    for sentence in found["fairness"]["uneven"]:
        print(sentence)
    for one in found["breaches"]:
        print(one["sentence"])


def feeds() -> None:
    """The calendars of leave and holidays that are read, and why one cannot be."""
    for one in call("GET", "/api/v1/calendar-feeds"):
        print(f"{one['status']}  {one['kind']} {one['name']}  {one['title']}: {one['why']}")


def add_leave(
    person: str = typer.Argument(help="Who is away: yourself, or as an admin anybody."),
    start: str = START,
    end: str = END,
    reason: str = typer.Option("", help="Only they see it."),
) -> None:
    """Enter leave: turns go to the next in the rotation, or by the schedule's own rule."""
    body = {"person": person, "start": start, "end": end, "reason": reason}
    print(f"leave {call('POST', '/api/v1/leave', body)['id']}")


def list_leave() -> None:
    """Present and coming leave."""
    for one in call("GET", "/api/v1/leave"):
        print(_line(one, one["person"]))


def remove_leave(number: int) -> None:
    """Take leave back: your own, or as an admin anybody's."""
    call("DELETE", f"/api/v1/leave/{number}")
    print(f"leave {number} is taken back")


def add_override(
    schedule: str,
    person: str = typer.Argument(help="Who covers."),
    start: str = START,
    end: str = END,
    reason: str = typer.Option("", help="Why."),
    anyway: str = typer.Option("", help="Why a limit of the team may be broken."),
) -> None:
    """Let somebody cover a part of a schedule."""
    body = {"person": person, "start": start, "end": end, "reason": reason, "anyway": anyway}
    print(f"override {call('POST', f'/api/v1/schedules/{schedule}/overrides', body)['id']}")


def list_overrides() -> None:
    """Present and coming overrides, in the order they were made: of two for the same time the later holds."""
    for one in call("GET", "/api/v1/overrides"):
        print(_line({"id": one["id"], **one["override"]}, f"{one['schedule']}  {one['override']['person']}"))


def remove_override(number: int) -> None:
    """Take an override back; what it covered falls to whoever lies below."""
    call("DELETE", f"/api/v1/overrides/{number}")
    print(f"override {number} is taken back")


def _line(one: dict[str, Any], who: str) -> str:
    return f"{one['id']}  {who}  {one['start']} – {one['end']}" + (f"  {one['reason']}" if one["reason"] else "")
