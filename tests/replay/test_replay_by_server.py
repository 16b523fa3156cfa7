"""A changed catalog tried by the API and on the page: an archive or a few lines of YAML, in bounds, beside the server."""

import asyncio
import io
import tarfile
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.live.shared_app import app_of
from tests.live.someone import signed_in
from tests.scenarios.conftest import post as post  # noqa: PLC0414 - fixtures of the scenarios
from tests.scenarios.conftest import sample
from tests.scenarios.conftest import stage as stage  # noqa: PLC0414
from tests.scenarios.stage import Stage

from sev1.access.model import Role
from sev1.catalog.problems import CatalogInvalid
from sev1.cli.demo import SAMPLE
from sev1.engine.errors import Invalid, TooLarge, TooMany
from sev1.replay.given import read_given
from sev1.replay.process import BODY_MAX, NotTaken, Replays

MONEY_IS_A_TICKET = """
kind: route
name: money
order: 20
match: ['service=~"checkout|payments"']
tier: ticket
severity: sev-1
group_by: [service, env]
"""


def tarred(folder: Path, inside: str = ".") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(folder, arcname=inside)
    return packed.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def of_sample(inside: str = "") -> dict[str, bytes]:
    return {f"{inside}{p.relative_to(SAMPLE)}": p.read_bytes() for p in SAMPLE.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "body",
    [tarred(SAMPLE), tarred(SAMPLE, "catalog"), zipped(of_sample()), zipped(of_sample("a/b/"))],
    ids=["tar", "tar of a folder", "zip", "zip of a folder"],
)
def test_an_archive_of_the_folder_is_the_catalog_as_the_folder_is(body: bytes) -> None:
    assert read_given(body, sample()) == sample()


def test_a_few_lines_of_yaml_take_the_place_of_what_is_in_force() -> None:
    changed = read_given(MONEY_IS_A_TICKET.encode(), sample())
    assert changed.routes["money"].tier == "ticket"
    assert {**changed.routes, "money": None} == {**sample().routes, "money": None}
    assert changed.people == sample().people


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b" \n", "Send the catalog"),
        (b"\xff\xfe\x00", "neither a zip, a tar nor YAML"),
        (b"PK\x03\x04 and no more", "cannot be read"),
        (b"\x1f\x8b and no more", "cannot be read"),
        (zipped({"../evil.yaml": b"kind: team"}), "leads out of it"),
        (zipped({"/evil.yaml": b"kind: team"}), "leads out of it"),
        (zipped({"photo.jpg": b""}), "neither .yaml files nor"),
        (zipped({f"{n}.yaml": bytes(999_999) for n in range(9)}), "more than a catalog may"),
        (zipped({"one.yaml": bytes(60_000_000)}), "more than a catalog may"),
    ],
)  # fmt: skip
def test_what_is_no_catalog_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_given(body, sample())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: route\nname: money\npolicy: nobodys\n", "nobodys"),
        ("kind: rout\nname: x\n", "There is no kind"),
        ("a: [", "text:1"),
        ("kind: route\nname: money\n<script>: 1\n", "script"),
    ],
)
def test_yaml_that_cannot_be_taken_says_where(text: str, why: str) -> None:
    with pytest.raises(CatalogInvalid, match=why):
        read_given(text.encode(), sample())


async def a_page(stage: Stage) -> None:
    alert = await stage.fires()
    await stage.later(minutes=4)
    await stage.answers("P-1", "acknowledge")
    await stage.ends(alert)
    await stage.later(minutes=1)


async def test_by_the_api_and_on_the_page_a_route_is_tried_against_the_past(stage: Stage) -> None:
    await a_page(stage)
    before = await everything(stage)
    responder = await signed_in(stage.node, app_of(stage.node), "ana", Role.RESPONDER)
    report = (await sent(stage, MONEY_IS_A_TICKET)).json()
    assert report["alerts"] == 1
    assert report["recorded"] == report["in_force"]
    [missed] = report["missed"]["examples"]
    assert (missed["alert"], missed["reason"]) == ("A-1", "Ticket: route money says so.")
    assert "Try a change against the past" in await responder.see("/catalog")
    page = await responder.send(
        "/catalog/replay", form="replay", text=MONEY_IS_A_TICKET, days="1", answers="as-recorded"
    )
    assert page.status_code == 200
    assert "Paged then and would not now: 1" in page.text
    assert "Ticket: route money says so." in page.text
    assert "name: money" in page.text  # to be changed and tried again
    assert await everything(stage) == before


async def test_what_is_refused_is_said_on_the_page_with_what_was_typed(stage: Stage) -> None:
    responder = await signed_in(stage.node, app_of(stage.node), "ana", Role.RESPONDER)
    typed = {"form": "replay", "days": "1", "answers": "nobody"}
    wrong = await responder.send("/catalog/replay", **typed, text="kind: <b>team</b>")
    assert wrong.status_code == 400
    assert "There is no kind" in wrong.text
    assert "<b>team</b>" not in wrong.text
    assert (await responder.send("/catalog/replay", **{**typed, "days": "4000"}, text="kind: team")).status_code == 400
    answer = await sent(stage, "kind: nothing")
    assert answer.status_code == 400
    assert answer.json()["code"] == "catalog_invalid"
    assert "text:1" in answer.json()["detail"]
    viewer = await signed_in(stage.node, app_of(stage.node), "cem", Role.VIEWER)
    await viewer.see("/catalog/replay", status=403)


async def test_one_runs_at_a_time_in_bounds_of_size_and_time(stage: Stage) -> None:
    now = stage.clock.now()
    since = now - timedelta(days=1)
    hurried = Replays(stage.node.db, time_max_s=0.01)
    with pytest.raises(NotTaken, match=r"longer than 0\.01 s"):
        await hurried.run(MONEY_IS_A_TICKET.encode(), since, now)
    with pytest.raises(TooLarge):
        await stage.node.replays.run(bytes(BODY_MAX + 1), since, now)
    first = asyncio.create_task(stage.node.replays.run(MONEY_IS_A_TICKET.encode(), since, now))
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await stage.node.replays.run(MONEY_IS_A_TICKET.encode(), since, now)
    assert (await first).alerts == 0


async def sent(stage: Stage, body: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {stage._token}", "Content-Type": "application/yaml"}
    return await stage.http.post("/api/v1/replay?days=1", content=body, headers=headers)


async def everything(stage: Stage) -> list[Any]:
    async with stage.node.db.connection() as conn:
        return [
            await conn.fetchval(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t")
            for table in ("alerts", "pages", "events", "deliveries", "timers", "catalog_objects")
        ]
