"""A node and its web server, from start to stop. Imported only by `sev1 serve`: other commands start without it."""

import asyncio

from sev1.access import links
from sev1.app import Node, open_node
from sev1.cli.demo import Demo
from sev1.cli.local import say
from sev1.engine.settings import Settings
from sev1.server import serve as serve_node


async def run(settings: Settings, url: str, *, demo: bool) -> None:
    play = Demo(settings) if demo else None
    if play:
        settings = play.settings
    async with open_node(settings, url) as node:
        ready = asyncio.Event()
        greeting = asyncio.create_task(_greet(node_url=settings.url, ready=ready, node=node, play=play))
        try:
            await serve_node(node, ready)
        finally:
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)
            if play:
                play.close()


async def _greet(*, node_url: str, ready: asyncio.Event, node: Node, play: Demo | None) -> None:
    await ready.wait()
    say(f"sev1 is ready on {node_url}")
    token = None if play else await links.first_run_link(node.db, node.clock.now())
    if token:
        say(f"Set up the first account (once, within 24 hours): {node_url}/setup/{token}")
    if play:
        await play.run(node, say)
