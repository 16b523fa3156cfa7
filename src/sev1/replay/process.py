"""The process in which a replay for the server runs: what is asked on stdin, the report as JSON on stdout, then it ends.

Reading a catalog and running months of history take seconds of pure work, which would hold up every answer of the node.
So it happens beside it, with bounded memory and time, one at a time; who started it kills it when it is late.
"""

import asyncio
import contextlib
import sys
from datetime import datetime

import asyncpg
import msgspec
from msgspec import Struct

from sev1.catalog import store as catalogs
from sev1.engine.database import Database, prepare_connection
from sev1.engine.errors import Invalid, TooLarge, TooMany
from sev1.replay.given import read_given
from sev1.replay.model import Answers, Report
from sev1.replay.store import replay

BODY_MAX = 4 * 1024 * 1024
TIME_MAX_S = 60.0
MEMORY_MAX_BYTES = 1536 * 1024 * 1024


class _Asked(Struct):
    url: str
    body: bytes
    since: datetime
    until: datetime
    answers: Answers


class _Answer(Struct):
    report: Report | None = None
    error: str = ""
    problems: list[str] = []


class NotTaken(Invalid):
    """What was sent cannot be replayed; the sentence says why, `problems` has what is wrong in the catalog."""

    code = "catalog_invalid"


class Replays:
    """`await replays.run(body, since, until)`: a node has one, and it runs one replay at a time."""

    def __init__(self, db: Database, *, time_max_s: float = TIME_MAX_S) -> None:
        self._db = db
        self._time_max_s = time_max_s
        self._turn = asyncio.Lock()

    async def run(self, body: bytes, since: datetime, until: datetime, answers: Answers = "as-recorded") -> Report:
        """What the catalog in `body` (`replay/given.py`) would have made of that time. Writes nothing.

        Raises TooMany while another runs, TooLarge, and `NotTaken`, also when it takes too long.
        """
        if len(body) > BODY_MAX:
            raise TooLarge(
                f"The catalog is larger than {BODY_MAX // 1024 // 1024} MiB. Use `sev1 replay` on a terminal."
            )
        if self._turn.locked():
            raise TooMany("Another replay runs. Try again when it is over.", retry_after_s=int(self._time_max_s))
        async with self._turn:
            raw = await self._ask(_Asked(url=self._db.url, body=body, since=since, until=until, answers=answers))
        try:
            answer = msgspec.json.decode(raw, type=_Answer)
        except msgspec.DecodeError:
            raise NotTaken(f"It takes more memory than it may. {_SHORTER}") from None
        if answer.report is None:
            raise NotTaken(answer.error, problems=answer.problems)
        return answer.report

    async def _ask(self, asked: _Asked) -> bytes:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-m", "sev1.replay.process",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env={},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._time_max_s):
                raw, _ = await process.communicate(msgspec.json.encode(asked))
        except TimeoutError:
            raise NotTaken(f"It takes longer than {self._time_max_s:g} s. {_SHORTER}") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return raw


_SHORTER = "Take a shorter time, or run `sev1 replay` on a terminal."


async def _run(asked: _Asked) -> _Answer:
    conn = await asyncpg.connect(asked.url)
    try:
        await prepare_connection(conn)
        in_force = await catalogs.read(conn)
        changed = read_given(asked.body, in_force)
        return _Answer(
            report=await replay(conn, in_force, changed, since=asked.since, until=asked.until, answers=asked.answers)
        )
    except Invalid as error:
        return _Answer(error=error.message, problems=error.data.get("problems", []))
    finally:
        await conn.close()


def main() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (int(TIME_MAX_S) + 1, int(TIME_MAX_S) + 1))
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=_Asked)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(_run(asked))))


if __name__ == "__main__":
    main()
