"""Whatever is written into an incident, whenever and by whom: a sentence that helps, or it is done. Never half of it."""

import asyncio
from typing import Any

import httpx
import pytest

from sev1.access import tokens
from sev1.access.model import OPERATOR, Role
from sev1.command.grammar.verbs import VERBS
from tests.scenarios.stage import Stage

ENDS = ("End",)
BY_GROUP = sorted(VERBS, key=lambda verb: verb.group in ENDS)
"""What ends the incident comes last: before it, everything else is tried on one that goes on."""
WRITTEN = {
    "nothing": lambda verb: f"/{verb.name}",
    "its example": lambda verb: verb.example,
    "what is not there": lambda verb: f"/{verb.name} Z99 @nobody INC-999 T99 because of nothing until never",
    "numbers": lambda verb: f"/{verb.name} -1 0 99999999999999999999 1e999 T0 H-1",
    "20 kB": lambda verb: f"/{verb.name} " + "lang " * 4_000,
    "HTML": lambda verb: f"/{verb.name} <script>alert(1)</script> & \"quotes\" 'and' <b>more",
    "emoji": lambda verb: f"/{verb.name} 🚨👩\u200d👩\u200d👧 𝔘𝔫𝔦 e\u0301",
    "right to left": lambda verb: f"/{verb.name} \u202eمرحبا שלום\u202c \u200f",
    "lines": lambda verb: f"/{verb.name} one\r\ntwo\n\n/{verb.name} three\t\x0b\x7f",
}


async def in_state(stage: Stage, state: str) -> None:
    await stage.declares()
    if state == "over":
        await stage.does("INC-1", "close_false_alarm")


async def length(stage: Stage) -> int:
    async with stage.node.db.connection() as conn:
        count: int = await conn.fetchval("SELECT count(*) FROM events")
    return count


async def say(stage: Stage, line: str, headers: dict[str, str] | None = None) -> httpx.Response:
    headers = headers or {"Authorization": f"Bearer {stage._token}"}
    return await stage.http.post("/api/v1/incidents/INC-1/lines", json={"line": line}, headers=headers)


def wrong_with(answer: httpx.Response) -> str:
    """What is wrong with an answer; empty for one that is done, or refused as it should be."""
    if answer.is_success:
        return ""
    if not 400 <= answer.status_code < 500:
        return f"{answer.status_code} {answer.text[:200]}"
    problem: dict[str, Any] = answer.json()
    detail = problem.get("detail", "")
    if len(detail) < 10 or " " not in detail or "Traceback" in detail or len(detail) > 2_000:
        return f"{answer.status_code} says {detail[:200]!r}"
    return ""


@pytest.mark.parametrize("state", ["open", "over"])
@pytest.mark.parametrize("kind", WRITTEN)
async def test_every_verb_takes_it_or_says_what_is_wrong_and_leaves_the_log_alone(stage: Stage, kind: str, state: str):
    await in_state(stage, state)
    found: list[str] = []
    for verb in BY_GROUP:
        before = await length(stage)
        answer = await say(stage, WRITTEN[kind](verb))
        if wrong := wrong_with(answer):
            found.append(f"/{verb.name}: {wrong}")
        if not answer.is_success and await length(stage) != before:
            found.append(f"/{verb.name}: refused, but the log has grown")
    assert found == []


async def test_who_may_only_look_is_told_so_by_every_verb(stage: Stage):
    await in_state(stage, "open")
    made = await tokens.create(stage.node.db, name="looks", role=Role.VIEWER, by=OPERATOR, now=stage.clock.now())
    before = await length(stage)
    for verb in VERBS:
        answer = await say(stage, verb.example, {"Authorization": f"Bearer {made.token}"})
        assert answer.status_code == 403, verb.name
        assert wrong_with(answer) == ""
    assert await length(stage) == before


async def test_two_who_say_the_same_at_once_are_both_answered(stage: Stage):
    """They decide on the same version: one is first, the other is decided anew on what the first left."""
    await in_state(stage, "open")
    found: list[str] = []
    for verb in BY_GROUP:
        answers = await asyncio.gather(*(say(stage, verb.example) for _ in range(3)))
        found += [f"/{verb.name}: {wrong}" for answer in answers if (wrong := wrong_with(answer))]
    assert found == []


async def test_what_is_no_command_is_refused_in_words(stage: Stage):
    await in_state(stage, "open")
    before = await length(stage)
    for body in ({"type": "nothing"}, {}, [], "text", {"type": "add_note"}, {"type": "add_note", "text": 7}, {"type": "add_note", "text": "x" * 200_000}):  # fmt: skip
        answer = await stage.ask("POST", "/incidents/INC-1/commands", body)
        assert 400 <= answer.status_code < 500, body
        assert len(answer.json()["detail"]) > 10
    for line in ("/nosuchverb x", "/", "", "   ", "x" * 20_001, "/note a\x00b"):
        answer = await say(stage, line)
        assert 400 <= answer.status_code < 500, line[:20]
        assert wrong_with(answer) == ""
    assert await length(stage) == before
