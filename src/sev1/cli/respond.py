"""Answering from a terminal, over the API: the same commands and words as on the page.

`SEV1_URL` says where the server is (http://127.0.0.1:8080), `SEV1_TOKEN` who asks (`sev1 token create`).
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from sev1.cli.local import fail

TIMEOUT_S = 15


def register(app: typer.Typer) -> None:
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Asks the API; an error of it becomes its sentence and exit code 1."""
    url, token = os.environ.get("SEV1_URL", "http://127.0.0.1:8080").rstrip("/"), os.environ.get("SEV1_TOKEN", "")
    if not token:
        fail("Set SEV1_TOKEN to an API token. `sev1 token create --name NAME` makes one on the server.")
    import httpx  # noqa: PLC0415 - it costs a third of a second, which commands on the server need not pay

    try:
        answer = httpx.request(
            method, url + path, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT_S
        )
    except httpx.HTTPError as error:
        fail(f"{url} does not answer ({error}). Check SEV1_URL, and that the server runs.")
    if answer.is_error:
        try:
            fail(answer.json()["detail"])
        except (json.JSONDecodeError, KeyError, TypeError):
            fail(f"{url} answered {answer.status_code}.")
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def _do(incident: str, kind: str, **fields: Any) -> None:
    body = {"type": kind, **{name: value for name, value in fields.items() if value is not None}}
    changed = call("POST", f"/api/v1/incidents/{incident}/commands", body)
    for entry in changed["recorded"]:
        _print_entry(entry)
    if not changed["recorded"]:
        print("That is so already; nothing was changed.")
    print_warnings(changed.get("warnings", []))


def _print_entry(entry: dict[str, Any]) -> None:
    print(f"{entry['at'][11:19]}  {entry['headline']}  ({entry['by']})")
    for label, text in entry["details"]:
        print(f"          {label}: {text}")


def print_warnings(warnings: list[dict[str, Any]]) -> None:
    """For the person at the terminal, after the command went through."""
    for hint in warnings:
        rather = f' Rather: "{hint["instead"]}".' if hint["instead"] else ""
        print(f'"{hint["text"]}": {hint["why"]}{rather}', file=sys.stderr)


def now() -> None:
    """Open pages and open incidents."""
    pages = call("GET", "/api/v1/pages")
    incidents = [i for i in call("GET", "/api/v1/incidents") if i["status"] in {"open", "resolved"}]
    for page in pages:
        who = ", ".join(p["person"] for p in page["people"])
        print(f"{page['id']}  {page['status']}  {page['title']}  (asked: {who or 'nobody'})")
    for incident in incidents:
        print(f"{incident['id']}  {incident['severity'].upper()}  {incident['stage']}  {incident['title']}")
    if not pages and not incidents:
        print("Nothing is open.")


def ack(page: str) -> None:
    """Acknowledge a page: I have it."""
    print(call("POST", f"/api/v1/pages/{page}/commands", {"type": "acknowledge"})["status"])


def escalate(page: str) -> None:
    """Page the next step now."""
    after = call("POST", f"/api/v1/pages/{page}/commands", {"type": "escalate"})
    print("asked: " + (", ".join(p["person"] for p in after["people"]) or "nobody"))


def resolve_page(page: str, reason: str = typer.Option("", help="Why it is over.")) -> None:
    """End a page."""
    print(call("POST", f"/api/v1/pages/{page}/commands", {"type": "resolve", "reason": reason})["status"])


def declare(
    title: str,
    severity: str = typer.Option(None, help="sev-0 … sev-5; unknown is the worst plausible."),
    service: list[str] = typer.Option(None, help="Affected service (repeatable)."),
    page: str = typer.Option(None, help="Page that it is declared from."),
) -> None:
    """Declare an incident. One line is enough."""
    body = {"type": "declare", "title": title, "severity": severity, "services": service or [], "page": page}
    incident = call("POST", "/api/v1/incidents", {k: v for k, v in body.items() if v is not None})
    print(f"{incident['id']}  {incident['severity'].upper()}  {incident['url']}")
    print_warnings(incident.get("warnings", []))


def show(incident: str) -> None:
    """The state of an incident and its timeline."""
    state = call("GET", f"/api/v1/incidents/{incident}")
    print(f"{state['id']}  {state['severity'].upper()}  {state['title']}")
    print(f"IC {state['commander']}  ·  {state['status']}, {state['stage']}")
    for entry in call("GET", f"/api/v1/incidents/{incident}/timeline"):
        _print_entry(entry)


def can(
    incident: str,
    condition: str = typer.Argument(help="What is happening now."),
    actions: str = typer.Option("", help="What was done and is under way."),
    needs: str = typer.Option("", help="What is needed, from whom."),
) -> None:
    """Post a CAN update: condition, actions, needs."""
    _do(incident, "post_update", condition=condition, actions=actions, needs=needs)


def decide(incident: str, decision: str, reason: str = typer.Option("", help="Why.")) -> None:
    """Record a decision."""
    _do(incident, "record_decision", decision=decision, reason=reason)


def note(incident: str, text: str) -> None:
    """Add a note to the timeline."""
    _do(incident, "add_note", text=text)


def severity(incident: str, severity: str, reason: str = typer.Option("", help="What makes us certain.")) -> None:
    """Change the severity. Lowering it needs a reason."""
    _do(incident, "set_severity", severity=severity.lower(), reason=reason)


def stage(incident: str, stage: str) -> None:
    """Move to a stage: triage, investigation, mitigation, resolution."""
    _do(incident, "set_stage", stage=stage)


def role(incident: str, role: str, person: str) -> None:
    """Give a role (ic, ops, comms, scribe, sme, support, sponsor) to a person."""
    _do(incident, "assign_role", role=role, person=person)


def confirm(incident: str, criterion: str) -> None:
    """Confirm a criterion of the resolution gate: restored, impact_ended, stable, no_residual."""
    _do(incident, "confirm_criterion", criterion=criterion)


def override(incident: str, criterion: str, reason: str = typer.Option(..., help="Why it need not hold.")) -> None:
    """Override a criterion of the resolution gate, with the reason."""
    _do(incident, "override_criterion", criterion=criterion, reason=reason)


def resolve(incident: str) -> None:
    """Resolve the incident. All four criteria must be confirmed or overridden."""
    _do(incident, "resolve")


def all_clear(incident: str, message: str = typer.Argument("", help="One message to everybody.")) -> None:
    """Give the all-clear and stand the responders down."""
    _do(incident, "give_all_clear", message=message)


def postmortem(incident: str) -> None:
    """Print the draft of the postmortem as Markdown."""
    print(call("GET", f"/api/v1/incidents/{incident}/postmortem"))


def swap(
    schedule: str,
    person: str = typer.Argument(help="Whom you ask to take the shift."),
    start: str = typer.Argument(help="With its offset: 2026-03-02T09:00:00+01:00."),
    end: str = typer.Argument(help="Likewise."),
) -> None:
    """Ask somebody to take a shift. Nothing changes until they accept."""
    asked = call("POST", f"/api/v1/schedules/{schedule}/swaps", {"person": person, "start": start, "end": end})
    print(f"asked: swap {asked['id']}")


def answer_swap(number: int, answer: str, anyway: str = typer.Option("", help="Why a limit may be broken.")) -> None:
    """Answer a swap: accepted, declined, or (your own) withdrawn."""
    print(call("POST", f"/api/v1/swaps/{number}/answer", {"answer": answer, "anyway": anyway})["state"])


COMMANDS: tuple[Callable[..., None], ...] = (
    now,
    ack,
    escalate,
    resolve_page,
    declare,
    show,
    can,
    decide,
    note,
    severity,
    stage,
    role,
    confirm,
    override,
    resolve,
    all_clear,
    postmortem,
    swap,
    answer_swap,
)
"""In the order in which a night needs them; `--help` lists them so."""
