"""Somebody with a browser without scripts, signed in."""

import re
from typing import Any

import httpx

from sev1.access import accounts
from sev1.access.model import OPERATOR, Role
from sev1.access.sessions import open_session
from sev1.access.web import COOKIE
from sev1.app import Node

URL = "http://sev1.test"


class Someone:
    """Somebody with a browser: pages by address, forms sent with the token that the page holds."""

    def __init__(self, http: httpx.AsyncClient, cookie: str) -> None:
        self.http = http
        self.cookie = cookie

    async def see(self, path: str, *, status: int = 200) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, path: str, *, on: str = "/settings", htmx: bool = False, **fields: Any) -> httpx.Response:
        """Posts `fields` as the form on the page `on` would."""
        found = re.search(r'name="csrf" value="([^"]+)"', await self.see(on))
        assert found, f"{on} holds no form"
        headers = {"HX-Request": "true"} if htmx else {}
        return await self.http.post(path, data={"csrf": found[1], **fields}, headers=headers)


async def signed_in(node: Node, app: Any, name: str = "ana", role: Role = Role.RESPONDER) -> Someone:
    """A person of the sample organisation, with an account made for them."""
    now = node.clock.now()
    email = f"{name}@nordlicht.example"
    user = await accounts.create_user(
        node.db, email=email, full_name=name.capitalize(), role=role, by=OPERATOR, now=now
    )
    async with node.db.transaction() as conn:
        cookie = await open_session(conn, user.id, agent="test", now=now)
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=URL, headers={"Origin": URL}, cookies={COOKIE: cookie}
    )
    return Someone(http, cookie)
