"""A responder runs a diagnostic from the page that woke them: one request, its answer in the history (mission 5.6)."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from sev1.access.model import Role
from sev1.catalog import store
from sev1.catalog.model import Diagnostic
from sev1.cli import respond
from sev1.cli.main import app as cli
from sev1.engine import worker
from sev1.engine.clock import FakeClock
from sev1.paging import diagnostic_store
from sev1.paging.diagnostic_step import DiagnosticStep
from tests.live.shared_app import app_of
from tests.live.someone import Someone, signed_in
from tests.live.web import WebServer, web_server
from tests.scenarios.conftest import open_stage, sample
from tests.scenarios.stage import Post, Stage

SECRET = "Bearer s3cret-t0ken"


@pytest.fixture
async def metrics() -> AsyncIterator[WebServer]:
    async with web_server() as web:
        web.body, web.headers = b'{"used": 12, "size": 20}', "Content-Type: application/json\r\n"
        yield web


@pytest.fixture
async def stage(
    fresh_database_url: str, clock: FakeClock, post: Post, metrics: WebServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    """The sample organisation, whose checkout can be asked for its pool (shown in CEL), and for queries by a POST."""
    monkeypatch.setenv("DIAGNOSTIC_METRICS", SECRET)
    async with open_stage(fresh_database_url, clock, post, allow_private_targets=True) as stage:
        await declare(
            stage,
            Diagnostic(name="queries", title="Slow queries", url=metrics.url, method="POST", body='{"last": "5m"}'),
            Diagnostic(
                name="pool",
                title="Connection pool",
                url=f"{metrics.url}pool",
                headers_env={"Authorization": "DIAGNOSTIC_METRICS"},
                show='string(answer.used) + " of " + string(answer.size) + " connections"',
                cost="one query",
                every_s=60,
            ),
        )
        yield stage


async def declare(stage: Stage, *diagnostics: Diagnostic) -> None:
    catalog = sample()
    checkout = replace(catalog.services["checkout"], diagnostics=diagnostics)
    book = catalog.runbooks["checkout-errors"]
    named = replace(book, body=book.body.replace("- [ ] Look at", "- [ ] Run `diagnostic pool`\n- [ ] Look at"))
    changed = replace(
        catalog,
        services={**catalog.services, "checkout": checkout},
        runbooks={**catalog.runbooks, "checkout-errors": named},
    )
    async with stage.node.db.transaction() as conn:
        await store.write(conn, changed, actor="test", now=stage.clock.now())


@pytest.fixture
async def ana(stage: Stage) -> Someone:
    return await signed_in(stage.node, app_of(stage.node), "ana")


async def press(stage: Stage, ana: Someone, name: str = "pool", page: str = "P-1") -> Any:
    fields = {"form": f"run-{name}", "type": "run_diagnostic", "diagnostic": name}
    answer = await ana.send(f"/pages/{page}/commands", on=f"/pages/{page}", **fields)
    await stage.settle()
    return answer


async def run_of(stage: Stage, name: str = "pool", page: str = "P-1") -> Any:
    return next(run for run in (await stage.page(page))["diagnostics"] if run["name"] == name)


async def test_the_button_asks_once_outside_of_the_request_and_shows_what_came_back(
    stage: Stage, ana: Someone, metrics: WebServer
):
    await stage.fires()
    html = await ana.see("/pages/P-1")
    assert html.index("Connection pool") < html.index("Slow queries"), "the runbook names the pool"
    assert "GET 127.0.0.1 · one query · at most once in 60 s" in html
    answer = await ana.send(
        "/pages/P-1/commands", on="/pages/P-1", form="run-pool", type="run_diagnostic", diagnostic="pool"
    )
    assert answer.status_code == 303
    assert metrics.requests == []
    assert "Ana Ribeiro is running it" in await ana.see("/pages/P-1")
    await stage.settle()
    [request] = metrics.requests
    assert request.startswith("GET /pool HTTP/1.1\r\n")
    assert f"authorization: {SECRET}".lower() in request.lower()
    html = await ana.see("/pages/P-1")
    assert ">12 of 20 connections</pre>" in html
    assert "Ana Ribeiro runs: Connection pool." in html
    assert "Connection pool answered." in html
    explained = str(await stage.api("GET", "/explanations?about=P-1"))
    assert "Ana Ribeiro ran the diagnostic Connection pool (web)." in explained
    assert "Connection pool answered: 12 of 20 connections" in explained
    assert (await stage.page())["status"] == "triggered", "looking is not answering"


async def test_the_mail_says_what_can_be_asked_and_the_api_offers_it(stage: Stage):
    await stage.fires()
    text = str(stage.post.mails[0].get_body(("plain",)).get_content())  # type: ignore[union-attr]
    assert "Diagnose, by a button there: Connection pool; Slow queries" in text
    assert len(text.splitlines()) <= 40
    offers = await stage.api("GET", "/pages/P-1/diagnostics")
    assert [(o["name"], o["in_runbook"], o["run"]) for o in offers] == [("pool", True, None), ("queries", False, None)]
    assert "DIAGNOSTIC_METRICS" not in str(offers)


async def test_a_post_sends_its_body_and_json_is_shown_as_it_is(stage: Stage, metrics: WebServer):
    await stage.fires()
    await stage.answers("P-1", "run_diagnostic", diagnostic="queries")
    [request] = metrics.requests
    assert request.startswith("POST / HTTP/1.1\r\n")
    assert "content-type: application/json" in request.lower()
    assert request.endswith('\r\n\r\n{"last": "5m"}')
    assert (await run_of(stage, "queries"))["text"] == '{\n  "used": 12,\n  "size": 20\n}'


async def test_of_one_service_it_runs_at_most_once_in_its_time_from_whichever_page(
    stage: Stage, ana: Someone, metrics: WebServer
):
    await stage.fires()
    await stage.fires(labels={"env": "prod-eu"})
    await press(stage, ana)
    refused = await press(stage, ana, page="P-2")
    assert refused.status_code == 429
    assert "Connection pool ran less than 60 s ago. Look at that answer, or run it again in 60 s." in refused.text
    answer = await stage.ask("POST", "/pages/P-2/commands", {"type": "run_diagnostic", "diagnostic": "pool"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert len(metrics.requests) == 1
    await stage.later(seconds=60)
    assert (await press(stage, ana, page="P-2")).status_code == 303
    assert len(metrics.requests) == 2


async def test_two_pages_that_ask_at_the_same_moment_run_it_once(stage: Stage, metrics: WebServer):
    await stage.fires()
    await stage.fires(labels={"env": "prod-eu"})
    body = {"type": "run_diagnostic", "diagnostic": "pool"}
    both = await asyncio.gather(*(stage.ask("POST", f"/pages/P-{n}/commands", body) for n in (1, 2)))
    assert sorted(answer.status_code for answer in both) == [200, 429]
    await stage.settle()
    assert len(metrics.requests) == 1


Spoil = Callable[[WebServer, pytest.MonkeyPatch], None]


def answers_500(web: WebServer, _: pytest.MonkeyPatch) -> None:
    web.status, web.body = "500 Internal Server Error", f"no: {SECRET}".encode()


def redirects(web: WebServer, _: pytest.MonkeyPatch) -> None:
    web.status, web.headers = "302 Found", "Location: http://127.0.0.1:1/\r\n"


def is_no_json(web: WebServer, _: pytest.MonkeyPatch) -> None:
    web.body = b"<html>"


def lacks_the_field(web: WebServer, _: pytest.MonkeyPatch) -> None:
    web.body = b'{"used": 12}'


def is_endless(web: WebServer, _: pytest.MonkeyPatch) -> None:
    web.endless = True


def has_no_secret(_: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIAGNOSTIC_METRICS")


def has_a_broken_secret(_: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIAGNOSTIC_METRICS", "s3cret\nX-Other: 1")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (answers_500, "It answers 500.\nno: [secret]"),
        (redirects, "It answers 302. Write down the address that it leads to."),
        (is_no_json, "The answer is no JSON.\n<html>"),
        (lacks_the_field, "The answer does not have what is to be shown of it."),
        (is_endless, "The answer is longer than 64 kB, so nothing can be picked out of it."),
        (has_no_secret, "The environment variable DIAGNOSTIC_METRICS is not set on the server"),
        (has_a_broken_secret, "The environment variable DIAGNOSTIC_METRICS is not set on the server, or holds what no"),
    ],
)
async def test_what_goes_wrong_is_said_and_the_secret_is_not(
    stage: Stage,
    ana: Someone,
    metrics: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    spoil: Spoil,
    said: str,
):
    caplog.set_level("DEBUG")
    spoil(metrics, monkeypatch)
    await stage.fires()
    await press(stage, ana)
    run = await run_of(stage)
    assert run["outcome"] == "failed"
    assert run["text"].startswith(said)
    html = await ana.see("/pages/P-1")
    assert "it failed" in html
    assert "s3cret" not in html + str(await stage.api("GET", "/pages/P-1/events")) + caplog.text


async def test_it_reaches_nothing_that_only_the_server_should_reach(stage: Stage, ana: Someone, metrics: WebServer):
    stage.node.fetch._network._allow_private = False
    await stage.fires()
    await press(stage, ana)
    assert "is a private or otherwise special address" in (await run_of(stage))["text"]
    assert metrics.requests == []


async def test_what_was_begun_by_a_node_that_died_is_cut_off_and_not_run_again(stage: Stage, metrics: WebServer):
    await stage.fires()
    await stage.ask("POST", "/pages/P-1/commands", {"type": "run_diagnostic", "diagnostic": "pool"})
    node = stage.node
    async with node.db.transaction() as conn:
        claimed = await diagnostic_store.claim(conn, holder="other", now=stage.clock.now(), lease_s=90, limit=4)
    assert len(claimed) == 1
    await stage.settle()
    assert (await run_of(stage))["outcome"] == "running"
    await stage.later(seconds=100)
    run = await run_of(stage)
    assert (run["outcome"], metrics.requests) == ("cut-off", [])
    late = DiagnosticStep(node.commands, node.catalogs, node.fetch, node.cel, holder="other")
    await late._run(claimed[0])
    assert (await run_of(stage)) == run, "the first report counts"
    await worker.drain(node.diagnose)


async def test_who_may_not_answer_pages_sees_answers_and_runs_nothing(stage: Stage, ana: Someone, metrics: WebServer):
    await stage.fires()
    await press(stage, ana)
    viewer = await signed_in(stage.node, app_of(stage.node), "bo", Role.VIEWER)
    html = await viewer.see("/pages/P-1")
    assert "12 of 20 connections" in html
    assert "run_diagnostic" not in html
    answer = await viewer.send("/pages/P-1/commands", type="run_diagnostic", diagnostic="pool")
    assert answer.status_code == 403
    assert len(metrics.requests) == 1


async def test_what_the_service_does_not_have_is_refused_with_what_it_has(stage: Stage):
    await stage.fires()
    body = {"type": "run_diagnostic", "diagnostic": "pol"}
    answer = await stage.ask("POST", "/pages/P-1/commands", body)
    assert (answer.status_code, answer.json()["detail"]) == (
        400, "P-1 has no diagnostic 'pol'. It has pool, queries.",
    )  # fmt: skip
    await stage.fires("CartErrors", labels={"service": "cart"})
    answer = await stage.ask("POST", "/pages/P-2/commands", body)
    assert "It has none: they are declared on the service in the catalog." in answer.text
    await stage.answers("P-1", "resolve", reason="over")
    answer = await stage.ask("POST", "/pages/P-1/commands", body)
    assert (answer.status_code, "is over" in answer.text) == (409, True)


async def test_what_left_the_catalog_before_it_ran_says_so(stage: Stage):
    await stage.fires()
    await stage.ask("POST", "/pages/P-1/commands", {"type": "run_diagnostic", "diagnostic": "pool"})
    await declare(stage)
    await stage.settle()
    assert (await run_of(stage))["text"] == "It is no longer in the catalog."


async def test_the_terminal_lists_them_and_waits_for_the_answer(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    await stage.fires()
    loop = asyncio.get_running_loop()

    def call(method: str, path: str, body: Any = None) -> Any:
        asked = stage.api(method, path.removeprefix("/api/v1"), body)
        return asyncio.run_coroutine_threadsafe(asked, loop).result()

    monkeypatch.setattr(respond, "call", call)
    listed = await asyncio.to_thread(CliRunner().invoke, cli, ["diagnose", "P-1"])
    assert listed.output == "pool  Connection pool  one query\nqueries  Slow queries\n"
    ran = await asyncio.to_thread(CliRunner().invoke, cli, ["diagnose", "P-1", "pool"])
    assert (ran.output, ran.exit_code) == ("12 of 20 connections\n", 0)
