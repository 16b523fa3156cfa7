"""The intake alone, for tuning: IntakeApp with its inbox and an embedded PostgreSQL, nothing behind it.

It prints `ready <path>`, the path to post alerts to, and runs until it is terminated.
"""

import argparse
import asyncio
import gc
import signal
import sys
import tempfile
from pathlib import Path

import uvicorn

from sev1.engine.clock import SystemClock
from sev1.engine.database import Database
from sev1.engine.embedded import EmbeddedPostgres
from sev1.engine.settings import Settings
from sev1.intake.asgi import IntakeApp
from sev1.intake.inbox import Inbox
from sev1.intake.keys import IntegrationKey

SECRET = "k" * 32


class OneKey:
    """A key ring with one key."""

    key = IntegrationKey(id=1, name="bench", kind="prometheus")

    def get_cached(self, secret: str) -> IntegrationKey | None:
        return self.key if secret == SECRET else None

    async def load(self, secret: str) -> IntegrationKey | None:
        return self.get_cached(secret)

    def allows(self, _: IntegrationKey) -> bool:
        return True


async def nothing_here(_scope: object, _receive: object, send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


async def serve(url: str, port: int) -> None:
    clock = SystemClock()
    async with Database(url) as db:
        await db.migrate()
        async with Inbox(url, clock) as inbox:
            app = IntakeApp(nothing_here, inbox=inbox, keys=OneKey(), settings=Settings(), clock=clock, db=db)
            config = uvicorn.Config(
                app, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="warning",
                server_header=False, date_header=False,
            )  # fmt: skip
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 50, 50)
            print(f"ready /integrations/{SECRET}/api/v2/alerts", flush=True)
            await uvicorn.Server(config).serve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    # uvicorn passes the signal on once it has stopped; leaving in order stops PostgreSQL too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    loops = uvicorn.Config("", loop="uvloop").get_loop_factory()
    with (
        tempfile.TemporaryDirectory() as temporary,
        EmbeddedPostgres(given.data or Path(temporary)) as server,
        asyncio.Runner(loop_factory=loops) as runner,
    ):
        runner.run(serve(server.url, given.port))


if __name__ == "__main__":
    main()
