"""Answering from a terminal, over the API: the same commands and words as on the page.

`SEV1_URL` says where the server is (http://127.0.0.1:8080), `SEV1_TOKEN` who asks (`sev1 token create`).
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import typer

from sev1.cli.local import fail

TIMEOUT_S = 15
DIAGNOSED_WITHIN_S = 60


def register(app: typer.Typer) -> None:
    for command in COMMANDS:
        app.command(command.__name__.replace("_", "-"))(command)


def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Asks the API; an error of it becomes its sentence and exit code 1."""
    answer = ask(method, path, json=body)
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def ask(method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> Any:
    """The same with whatever `httpx.request` takes; returns its answer."""
    url, token = os.environ.get("SEV1_URL", "http://127.0.0.1:8080").rstrip("/"), os.environ.get("SEV1_TOKEN", "")
    if not token:
        fail("Set SEV1_TOKEN to an API token. `sev1 token create --name NAME` makes one on the server.")
    import httpx  # noqa: PLC0415 - it costs a third of a second, which commands on the server need not pay

    try:
        answer = httpx.request(
            method,
            url + path,
            headers={"Authorization": f"Bearer {token}", **(headers or {})},
            timeout=TIMEOUT_S,
            **more,
        )
    except httpx.HTTPError as error:
        fail(f"{url} does not answer ({error}). Check SEV1_URL, and that the server runs.")
    if answer.is_error:
        try:
            fail(answer.json()["detail"])
        except (json.JSONDecodeError, KeyError, TypeError):
            fail(f"{url} answered {answer.status_code}.")
    return answer


def print_warnings(warnings: list[dict[str, Any]]) -> None:
    """For the person at the terminal, after the command went through."""
    for hint in warnings:
        rather = f' Rather: "{hint["instead"]}".' if hint["instead"] else ""
        print(f'"{hint["text"]}": {hint["why"]}{rather}', file=sys.stderr)


def now() -> None:
    """Open pages and open incidents."""
    pages = call("GET", "/api/v1/pages")
    incidents = call("GET", "/api/v1/incidents/active")
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


def diagnose(page: str, name: str = typer.Argument("", help="Without it: what can be run.")) -> None:
    """Run a diagnostic that the page's service declares, and print what it says."""
    path = f"/api/v1/pages/{page}"
    if not name:
        offers = call("GET", f"{path}/diagnostics")
        for offer in offers:
            print("  ".join(filter(None, (offer["name"], offer["title"], offer["cost"]))))
        if not offers:
            print("None: they are declared on the service in the catalog.")
        return
    runs = call("POST", f"{path}/commands", {"type": "run_diagnostic", "diagnostic": name})["diagnostics"]
    number = next(run["run"] for run in runs if run["name"] == name)
    for _ in range(DIAGNOSED_WITHIN_S):
        run = next(run for run in call("GET", path)["diagnostics"] if run["name"] == name)
        if run["run"] != number or run["outcome"] != "running":
            print(run["text"])
            if run["outcome"] not in {"ok", "running"}:
                raise typer.Exit(1)
            return
        time.sleep(1)
    fail(f"No answer yet. It appears on {page}.")


def fixed(page: str, note: str = typer.Option("", help="What you did.")) -> None:
    """Say that the fix is in: the page is yours, and you hear whether it helped."""
    after = call("POST", f"/api/v1/pages/{page}/commands", {"type": "report_fix", "note": note})
    print(f"watched until {after['fix']['until']}")


def resolve_page(page: str, reason: str = typer.Option("", help="Why it is over.")) -> None:
    """End a page."""
    print(call("POST", f"/api/v1/pages/{page}/commands", {"type": "resolve", "reason": reason})["status"])


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
    diagnose,
    fixed,
    resolve_page,
    swap,
    answer_swap,
)
"""In the order in which a night needs them; `--help` lists them so."""
