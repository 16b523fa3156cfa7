"""Twilio as its documentation describes it: takes messages and calls, signs what it tells us. It cannot run here itself."""

import base64
import hashlib
import hmac
import socket
from urllib.parse import parse_qsl

import httpx
import uvicorn
from defusedxml.ElementTree import fromstring

ACCOUNT, TOKEN, FROM = "AC0123456789abcdef0123456789abcdef", "fake-token", "+15005550006"


class FakeTwilio:
    """`texts` and `calls` are what was asked for; `refuse` maps a number to the error that its API answers."""

    def __init__(self) -> None:
        self.url = ""
        self.texts: list[dict[str, str]] = []
        self.calls: list[dict[str, str]] = []
        self.refuse: dict[str, tuple[int, int, str]] = {}

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = self._answer(scope, dict(parse_qsl(body.decode(), keep_blank_values=True)))
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": answer.encode()})

    def _answer(self, scope, form: dict[str, str]) -> tuple[int, str]:
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if dict(scope["headers"]).get(b"authorization", b"").decode() != expected:
            return 401, '{"code": 20003, "message": "Authenticate", "status": 401}'
        if refused := self.refuse.get(form.get("To", "")):
            return refused[0], f'{{"code": {refused[1]}, "message": "{refused[2]}", "status": {refused[0]}}}'
        if scope["path"] == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            self.texts.append(form)
            return 201, f'{{"sid": "SM{len(self.texts):032d}", "status": "queued"}}'
        if scope["path"] == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json":
            fromstring(form["Twiml"])
            self.calls.append(form)
            return 201, f'{{"sid": "CA{len(self.calls):032d}", "status": "queued"}}'
        return 404, '{"code": 20404, "message": "Not found", "status": 404}'

    async def start(self) -> None:
        config = uvicorn.Config(self, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._socket])

    async def stop(self) -> None:
        self._server.force_exit = True
        await self._server.shutdown(sockets=[self._socket])


async def tells(http: httpx.AsyncClient, url: str, fields: dict[str, str], *, token: str = TOKEN) -> httpx.Response:
    """A request from Twilio to us, signed by the rule of its documentation."""
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signed = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return await http.post(url, data=fields, headers={"X-Twilio-Signature": signed})


def said(answer: httpx.Response) -> str:
    """The words in an answer of TwiML."""
    assert answer.status_code == 200, answer.text
    return " ".join(fromstring(answer.text).itertext())
