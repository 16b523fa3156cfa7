"""The step that runs what was asked: one HTTP request each, outside of any transaction, its answer reported to the page.

A run is begun at most once: a request may do something, and whoever asked can ask again. What is not finished when its
node dies is reported as cut off.
"""

import asyncio
import logging
import os
from collections.abc import Collection, Mapping

import msgspec
from prometheus_client import Counter

from sev1.catalog.cache import CatalogCache
from sev1.catalog.model import Diagnostic
from sev1.engine.cel import CelFailed, CelInvalid, Evaluator
from sev1.engine.commands import Commands
from sev1.engine.decider import SYSTEM
from sev1.engine.errors import Unavailable
from sev1.engine.fetch import BODY_MAX, Answer, Fetch, FetchFailed, TargetRefused
from sev1.paging import diagnostic_store as store
from sev1.paging.diagnostics import ReportDiagnostic, as_line, readable, without_secrets

log = logging.getLogger(__name__)

AT_ONCE = 4
LEASE_S = 90
"""Longer than the longest request and the start of the process in which CEL runs."""

RUNS = Counter("sev1_diagnostics_total", "Diagnostics that were run, by outcome", ["outcome"])


class DiagnosticStep:
    """`await step()` runs up to four diagnostics; True when there was one."""

    def __init__(
        self,
        commands: Commands,
        catalogs: CatalogCache,
        fetch: Fetch,
        cel: Evaluator,
        *,
        holder: str,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`environ` holds the secrets that headers name."""
        self._commands = commands
        self._catalogs = catalogs
        self._fetch = fetch
        self._cel = cel
        self._holder = holder
        self._environ = environ

    async def __call__(self) -> bool:
        now = self._commands.clock.now()
        async with self._commands.db.transaction() as conn:
            runs = await store.claim(conn, holder=self._holder, now=now, lease_s=LEASE_S, limit=AT_ONCE)
        await asyncio.gather(*[self._run(run) for run in runs])
        return bool(runs)

    async def _run(self, run: store.Waiting) -> None:
        try:
            report = await self._report(run)
            await self._commands.run("page", run.page, report, by=SYSTEM)
            async with self._commands.db.transaction() as conn:
                await store.done(conn, run)
        except Exception:  # one diagnostic must not stop the others; its lease ends, and it is reported as cut off
            log.exception("the diagnostic %s of %s could not be reported", run.name, run.page)
        else:
            RUNS.labels(report.outcome).inc()

    async def _report(self, run: store.Waiting) -> ReportDiagnostic:
        if run.cut_off:
            why = "It was cut off: the node stopped while it ran. Run it again if that does no harm."
            return ReportDiagnostic(run=run.run, outcome="cut-off", text=why)
        async with self._commands.db.connection() as conn:
            service = (await self._catalogs.current(conn)).services.get(run.service)
        wanted = next((one for one in service.diagnostics if one.name == run.name), None) if service else None
        if wanted is None:
            return ReportDiagnostic(run=run.run, outcome="failed", text="It is no longer in the catalog.")
        secrets = {header: self._environ.get(name, "").strip() for header, name in wanted.headers_env.items()}
        if unfit := [name for header, name in wanted.headers_env.items() if not _fit(secrets[header])]:
            why = f"The environment variable {unfit[0]} is not set on the server, or holds what no header may."
            return ReportDiagnostic(run=run.run, outcome="failed", text=why)
        try:
            answer = await self._ask(wanted, secrets)
            went_well, text = await self._shown(wanted, answer, secrets.values())
        except (FetchFailed, TargetRefused) as error:
            return ReportDiagnostic(
                run=run.run, outcome="failed", text=without_secrets(error.message, secrets.values())
            )
        return ReportDiagnostic(run=run.run, outcome="ok" if went_well else "failed", text=text, status=answer.status)

    async def _ask(self, wanted: Diagnostic, secrets: Mapping[str, str]) -> Answer:
        headers = {"User-Agent": "sev1", "Accept-Encoding": "identity", **wanted.headers, **secrets}
        if wanted.body and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        content = wanted.body.encode() if wanted.method == "POST" else None
        if content is not None:
            headers["Content-Length"] = str(len(content))
        return await self._fetch.request(
            wanted.method, wanted.url, headers=headers, content=content, timeout_s=wanted.timeout_s, body_max=BODY_MAX
        )

    async def _shown(self, wanted: Diagnostic, answer: Answer, secrets: Collection[str]) -> tuple[bool, str]:
        """Whether it went well, and what is shown."""
        cut = len(answer.body) >= BODY_MAX
        plain = readable(answer.body, answer.headers.get("content-type", ""), secrets, cut=cut)
        if not 200 <= answer.status < 300:
            hint = " Write down the address that it leads to." if 300 <= answer.status < 400 else ""
            return False, f"It answers {answer.status}.{hint}\n{plain}"
        if wanted.show is None:
            return True, plain
        if cut:
            return (
                False,
                f"The answer is longer than {BODY_MAX // 1024} kB, so nothing can be picked out of it.\n{plain}",
            )
        try:
            known = {"answer": msgspec.json.decode(answer.body), "status": answer.status}
            [values] = await self._cel.evaluate({"show": wanted.show}, known)
        except msgspec.DecodeError:
            return False, f"The answer is no JSON.\n{plain}"
        except (CelFailed, CelInvalid, Unavailable) as error:
            return False, f"{without_secrets(error.message, secrets)}\n{plain}"
        return values["show"] is not None, as_line(values["show"], secrets)


def _fit(secret: str) -> bool:
    return bool(secret) and secret.isascii() and secret.isprintable()
