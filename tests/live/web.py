"""A web server of the tests: real sockets on loopback, answers as told."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator


class WebServer:
    """A real HTTP server on loopback that gives the answers it is told to, one a connection."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = "200 OK", b"all well", ""
        self.requests: list[str] = []
        self.endless = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            sent = re.search(r"(?im)^content-length: (\d+)", head)
            self.requests.append(head + (await reader.readexactly(int(sent[1]) if sent else 0)).decode())
            length = "" if self.endless else f"Content-Length: {len(self.body)}\r\n"
            writer.write(f"HTTP/1.1 {self.status}\r\n{length}{self.headers}Connection: close\r\n\r\n".encode())
            writer.write(self.body)
            while self.endless:
                writer.write(b" " * 65536)
                await writer.drain()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def web_server() -> AsyncIterator[WebServer]:
    web = WebServer()
    server = await asyncio.start_server(web.talk, "127.0.0.1", 0)
    web.port = server.sockets[0].getsockname()[1]
    yield web
    server.close()
