"""Incidents on a terminal: declare one, read it, and say in it what the page's bar understands (mission T.2).

`sev1 incident INC-7 task @bo measure the lag by 14:30` is the line `/task @bo measure the lag by 14:30`.
"""

import sys
from typing import Any
from urllib.parse import quote, urlencode

import typer

from sev1.cli.local import fail
from sev1.cli.respond import call, print_warnings


def register(app: typer.Typer) -> None:
    app.command()(declare)
    app.command(context_settings={"ignore_unknown_options": True})(incident)
    app.command()(postmortem)
    app.command()(mitigations)


def declare(
    title: str,
    severity: str = typer.Option(None, help="sev-0 … sev-5; unknown is the worst plausible."),
    service: list[str] = typer.Option(None, help="Affected service (repeatable)."),
    page: str = typer.Option(None, help="Page that it is declared from."),
    restricted: bool = typer.Option(False, "--restricted", help="Only those with a role and the admitted see it."),
) -> None:
    """Declare an incident. One line is enough."""
    body = {
        "type": "declare",
        "title": title,
        "severity": severity,
        "services": service or [],
        "page": page,
        "restricted": restricted,
    }
    made = call("POST", "/api/v1/incidents", {k: v for k, v in body.items() if v is not None})
    print(f"{made['id']}  {made['severity'].upper()}  {made['url']}")
    print_warnings(made["warnings"])
    for one in made["similar"]:
        print(
            f"{one['id']} may be the same: {one['title']} ({'; '.join(one['because'])}). "
            f"Then: sev1 incident {made['id']} merge {one['id']} because …",
            file=sys.stderr,
        )


def mitigations(
    owner: str = typer.Option("", help="Only those of this person, by short name."),
) -> None:
    """What is temporary and not removed yet, over all incidents: what should be gone first."""
    query = f"?{urlencode({'owner': owner})}" if owner else ""
    for one in call("GET", f"/api/v1/mitigations{query}"):
        late = "overdue" if one["overdue"] else "remove by"
        print(f"{one['incident']} {one['ref']}  {late} {one['remove_by'][:16]}Z  @{one['owner']}  {one['text']}")


def incident(
    key: str = typer.Argument("", help="INC-7; nothing: what is open. `help`: all commands."),
    words: list[str] = typer.Argument(
        None,
        help="What to say in it, like: can, task, sev, decide, resolve. `family`: what is under it. `scratchpad W1`: its text.",
    ),
) -> None:
    """Read an incident, or say something in it: `sev1 incident INC-7 sev 2 because only one region`."""
    said = " ".join(words or []).strip()
    if not key:
        _list_open()
    elif key == "help":
        _help(said)
    elif not said:
        _show(_key(key))
    elif said == "family":
        _family(_key(key))
    elif said.removeprefix("/").split()[0] == "scratchpad":
        _scratchpad(_key(key), said.removeprefix("/").removeprefix("scratchpad").strip())
    elif said.removeprefix("/").split()[0] == "help":
        _help(said.removeprefix("/").removeprefix("help").strip())
    else:
        _say(_key(key), said if said.startswith("/") else f"/{said}")


def postmortem(incident: str) -> None:
    """Print the draft of the postmortem as Markdown."""
    print(call("GET", f"/api/v1/incidents/{_key(incident)}/postmortem"))


def _key(text: str) -> str:
    """`7`, `inc-7` and `INC-7` are the same incident."""
    number = text.upper().removeprefix("INC-")
    if not number.isdigit():
        fail(f"{text!r} is no incident. Write it like INC-7; `sev1 incident` lists what is open.")
    return f"INC-{quote(number)}"


def _list_open() -> None:
    open_ones = call("GET", "/api/v1/incidents/active")
    for one in open_ones:
        facts = [f"since {one['started_at'][:16]}Z"]
        if one["next_update_at"]:
            facts.append(f"update {'late since' if one['update_late'] else 'by'} {one['next_update_at'][:16]}Z")
        if one["open_needs"]:
            facts.append(f"{one['open_needs']} open need{'s' if one['open_needs'] > 1 else ''}")
        said = f"{one['severity'].upper()}  {one['stage']}  IC {one['commander']}  {one['title']}"
        print(f"{one['id']}  {said}  ({', '.join(facts)})")
    if not open_ones:
        print("No incident is open.")


def _help(name: str) -> None:
    known = call("GET", "/api/v1/commands")
    chosen = [verb for verb in known if not name or name.lstrip("/") in {verb["name"], *verb["also"]}]
    if not chosen:
        fail(f"There is no command /{name.lstrip('/')}. `sev1 incident help` lists them.")
    for verb in chosen:
        print(f"{verb['usage']}\n    {verb['does']}")
        if name:
            print(f"    {verb['example']}")


def _show(key: str) -> None:
    state = call("GET", f"/api/v1/incidents/{key}")
    print(f"{state['id']}  {state['severity'].upper()}  {state['title']}")
    print(f"IC {state['commander']}  ·  {state['status']}, {state['stage']}  ·  {state['priority']}{_because(state)}")
    if (target := state["response_target"]) and target["remaining_s"] is not None:
        late = target["remaining_s"] < 0
        print(f"Nobody has answered: {'late by' if late else 'wanted in'} {abs(target['remaining_s']):.0f} s")
    for person, asked in state["prompts"].items():
        print(f"{asked['phase'].capitalize()} @{person}: {asked['text']}  ({asked['line'].strip()} …)")
    _print_bridge_and_intake(state)
    _print_work(state)
    for one in state["openings"]:
        print(
            f"  Pick up {one['ref']}: {one['text']}  ({one['line'].strip()}{' …' if one['line'].endswith(' ') else ''})"
        )
    print()
    for entry in call("GET", f"/api/v1/incidents/{key}/timeline"):
        _print_entry(entry)


def _print_work(state: dict[str, Any]) -> None:
    """What is open: facts and guesses, tasks, needs, runbooks."""
    for item in state["board"]:
        if item["outcome"] is None:
            unless = f"  (wrong if: {item['disproof']})" if item["disproof"] else ""
            print(f"  {item['kind']} {item['number']}: {item['text']}{unless}")
    for task in state["tasks"]:
        if task["state"] == "open":
            print(f"  T{task['number']} {task['owner'] or 'nobody'} by {task['due_at'][11:16]} UTC: {task['text']}")
    for need in state["needs"]:
        if need["state"] == "open":
            print(f"  N{need['number']} {need['owner'] or 'nobody'}: {need['text']}")
    for run in state["runs"]:
        if run["ended_at"] is None:
            _print_run(run)


def _print_bridge_and_intake(state: dict[str, Any]) -> None:
    """The bridge while one is open, and the five questions with what nobody has confirmed."""
    if bridge := state["bridge"]:
        asked = "  (what was decided there?)" if bridge["asked_at"] else ""
        print(f"Bridge {bridge['url']}  {' '.join(f'@{name}' for name in bridge['people'])}{asked}".rstrip())
    for one in state["intake"][1:]:
        doubt = "" if one["confirmed"] or not one["text"] else "  (from the record, not confirmed)"
        print(f"  {one['title']}: {'; '.join(one['text'].splitlines()) or 'not answered yet'}{doubt}")


def _because(state: dict[str, Any]) -> str:
    """Why the priority is not that of the severity."""
    return f", because {state['priority_set']['reason']}" if state["priority_set"] else ""


def _print_run(run: dict[str, Any]) -> None:
    """A runbook being run, with what came of each step."""
    print(f"  C{run['number']} {run['title']}")
    for number, step in enumerate(run["steps"], start=1):
        tick = run["ticks"].get(str(number))
        cue = f"{step['cue'].upper()}: " if step["cue"] else ""
        print(f"    {number} {tick['outcome'] if tick else 'open'}: {cue}{step['text']}")


def _family(key: str) -> None:
    """The incident above, and how each one under it stands."""
    family = call("GET", f"/api/v1/incidents/{key}/family")
    for one in ([family["parent"]] if family["parent"] else []) + family["children"]:
        late = "  LATE" if one["update_late"] or one["late_tasks"] else ""
        indent = "  " * max(one["level"], 0)
        print(
            f"{indent}{one['id']}  {one['severity'].upper()}  {one['status']}, {one['stage']}  IC {one['commander']}  {one['title']}{late}"
        )
        if one["condition"]:
            print(f"{indent}    {one['condition']}")
        for need in one["needs"]:
            print(
                f"{indent}    N{need['number']}: {need['text']}{'  (raised)' if need['number'] in one['raised'] else ''}"
            )
    if not family["parent"] and not family["children"]:
        print(f"{key} stands alone. `sev1 incident {key} child TITLE` declares one under it.")


def _scratchpad(key: str, workstream: str) -> None:
    """The scratchpad of a workstream as Markdown."""
    number = workstream.upper().removeprefix("W")
    if not (number.isascii() and number.isdigit()):
        fail(f"{workstream!r} is no workstream. Write it like: sev1 incident {key} scratchpad W1")
    print(call("GET", f"/api/v1/incidents/{key}/workstreams/{number}/scratchpad")["text"])


def _say(key: str, line: str) -> None:
    changed = call("POST", f"/api/v1/incidents/{key}/lines", {"line": line})
    for entry in changed["recorded"]:
        _print_entry(entry)
    if not changed["recorded"]:
        print("Nothing was added to the timeline.")
    for advice in changed["advice"]:
        print(f"⚠️ {advice['message']}" + (f"  {advice['line']}" if advice["line"] else ""), file=sys.stderr)
    print_warnings(changed["warnings"])


def _print_entry(entry: dict[str, Any]) -> None:
    undone = f"  undone by #{entry['corrected_by']}" if entry["corrected_by"] else ""
    print(f"{entry['at'][11:19]}  #{entry['version']}  {entry['headline']}  ({entry['by']}){undone}")
    for label, text in entry["details"]:
        print(f"          {label}: {text}")
