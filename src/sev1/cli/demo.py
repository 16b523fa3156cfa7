"""`sev1 serve --demo`: the sample organisation, an account to look around with, and a small night played once."""

import logging
import secrets
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

import sev1.practice
from sev1.access import accounts, keys, links, tokens
from sev1.access.model import OPERATOR, Role
from sev1.app import Node
from sev1.catalog import store
from sev1.catalog.load import load
from sev1.catalog.model import Person
from sev1.engine.errors import NotFound
from sev1.engine.settings import Settings
from sev1.oncall import store as oncall_store
from sev1.oncall.schedule import on_call
from sev1.practice.mailbox import Mailbox
from sev1.practice.scenario import Cast, Scenario

log = logging.getLogger(__name__)

SAMPLE = Path(sev1.practice.__file__).parent / "sample"
WATCH = "platform-primary"
"""The schedule of Nordlicht whose person you are."""


class Demo:
    """Made before the node, because its mail goes to the demo's own mailbox unless a mail server is set."""

    def __init__(self, settings: Settings) -> None:
        self._mailbox: Mailbox | None = None
        self.settings = settings
        if not settings.smtp_host:
            self._mailbox = Mailbox(settings.data / "demo-mail")
            self.settings = replace(settings, smtp_host="127.0.0.1", smtp_port=self._mailbox.port, smtp_tls="none")

    def close(self) -> None:
        if self._mailbox:
            self._mailbox.close()

    async def run(self, node: Node, say: Callable[[str], None]) -> None:
        """Prepares what is missing, prints the sign-in link, and plays the scenario into an empty server."""
        url, now = node.settings.url, node.clock.now()
        async with node.db.transaction() as conn:
            if await store.read_version(conn) == 0:
                await store.write(conn, load(SAMPLE), actor="operator:demo", now=now)
            fresh = not await conn.fetchval("SELECT EXISTS (SELECT 1 FROM inbox_cursors WHERE position > 0)")
        you = await _on_call(node)
        try:
            await accounts.user_by_email(node.db, you.email)
        except NotFound:
            await accounts.create_user(
                node.db, email=you.email, full_name=you.full_name, role=Role.ADMIN, by=OPERATOR, now=now
            )
        link = await links.sign_in_link(node.db, you.email, by=OPERATOR, now=now)
        say(f"Sign in as {you.full_name}, who is on call (once, within 15 minutes): {url}/link/{link}")
        if self._mailbox:
            say(f"Mails of this demo are kept in {self._mailbox.folder}")
        if fresh:
            await self._play(node, say)
        else:
            say("The data of the last time is still here; nothing is played again.")

    async def _play(self, node: Node, say: Callable[[str], None]) -> None:
        now = node.clock.now()
        key = await keys.create(node.db, kind="prometheus", by=OPERATOR, now=now, name="demo")
        made = {
            person: await tokens.create(
                node.db, name=f"{name} (demo {secrets.token_hex(2)})", role=Role.RESPONDER, by=OPERATOR, now=now
            )
            for person, name in (("ana", "Ana Ribeiro"), ("bo", "Bo Lindqvist"), ("dana", "Dana Whitfield"))
        }
        cast = Cast(url=node.settings.url, key=key.secret, tokens={who: token.token for who, token in made.items()})
        say("Playing a small night through the real intake …")
        try:
            await Scenario(cast, node.clock, say).play()
        except Exception:
            log.exception("the demo's scenario broke off; the server goes on")
        finally:
            for token in made.values():
                await tokens.revoke(node.db, token.id, by=OPERATOR, now=node.clock.now())


async def _on_call(node: Node) -> Person:
    """Whoever the scenario leaves a page for: who is on call for the platform now."""
    now = node.clock.now()
    async with node.db.connection() as conn:
        catalog = await node.catalogs.current(conn)
        overrides = await oncall_store.overrides_at(conn, now)
    shift = on_call(catalog.schedules[WATCH], now, overrides.get(WATCH, ()))
    return catalog.people[shift.person if shift else "gus"]
