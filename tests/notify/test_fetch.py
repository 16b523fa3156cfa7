"""The guard on outgoing HTTP: which addresses it reaches, and that it connects to what it checked."""

import asyncio
import socket

import pytest

from sev1.engine.fetch import Fetch, FetchFailed, TargetRefused, is_public

from .real_receivers import Receiver


def resolving(*addresses: str, asked: list[str] | None = None):
    async def resolve(host: str, port: int) -> list[str]:
        if asked is not None:
            asked.append(host)
        return list(addresses)

    return resolve


SPECIAL = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing is bound
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", SPECIAL)
async def test_a_host_that_resolves_to_a_special_address_is_refused(address: str):
    assert not is_public(address)
    async with Fetch(resolve=resolving(address)) as fetch:
        with pytest.raises(TargetRefused, match=r"hooks\.example"):
            await fetch.request("POST", "http://hooks.example/")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_public(address: str):
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:7f00:1]"]
)
async def test_loopback_is_refused_in_every_spelling(host: str, receiver: Receiver):
    port = receiver.url.rpartition(":")[2]
    async with Fetch() as fetch:
        with pytest.raises(TargetRefused):
            await fetch.request("GET", f"http://{host}:{port}/")
    assert not receiver.requests


async def test_one_private_address_among_public_ones_refuses_the_host():
    async with Fetch(resolve=resolving("93.184.215.14", "10.0.0.1")) as fetch:
        with pytest.raises(TargetRefused):
            await fetch.request("GET", "http://hooks.example/")


async def test_the_address_that_was_checked_is_the_one_connected_to(receiver: Receiver):
    port = receiver.url.rpartition(":")[2]
    asked: list[str] = []
    async with Fetch(allow_private=True, resolve=resolving("127.0.0.1", asked=asked)) as fetch:
        # No resolver of the system knows this name, so the connection can only use the answer of ours.
        answer = await fetch.request("GET", f"http://no-such-host.invalid:{port}/")
    assert (answer.status, asked) == (200, ["no-such-host.invalid"])
    assert receiver.requests[0][0]["host"] == f"no-such-host.invalid:{port}"


async def test_a_name_is_resolved_once_for_each_connection(receiver: Receiver):
    port = receiver.url.rpartition(":")[2]
    asked: list[str] = []
    async with Fetch(allow_private=True, resolve=resolving("127.0.0.1", asked=asked)) as fetch:
        for _ in range(3):
            await fetch.request("GET", f"http://hooks.example:{port}/")
    assert len(asked) == len(receiver.connections) == 1


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://example.com/",
        "//example.com/",
        "http://",
        "http://user:secret@example.com/",
        "not a url",
        "http://[::1",
    ],
)
async def test_what_is_no_plain_http_url_is_refused(url: str):
    async with Fetch(allow_private=True) as fetch:
        with pytest.raises(TargetRefused):
            await fetch.request("GET", url)


async def test_a_redirect_is_an_answer_and_is_not_followed(receiver: Receiver, fetch: Fetch):
    receiver.status, receiver.headers = 302, {"location": receiver.url + "/elsewhere"}
    assert (await fetch.request("GET", receiver.url)).status == 302
    assert len(receiver.requests) == 1


async def test_cookies_are_not_kept(receiver: Receiver, fetch: Fetch):
    receiver.headers = {"set-cookie": "a=1"}
    for _ in range(2):
        await fetch.request("GET", receiver.url)
    assert "cookie" not in receiver.requests[1][0]


async def test_a_proxy_in_the_environment_is_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with Fetch(allow_private=True) as fetch:
        assert (await fetch.request("GET", receiver.url)).status == 200


async def test_of_a_long_answer_only_the_first_part_is_read(receiver: Receiver, fetch: Fetch):
    receiver.body = b"x" * 1_000_000
    assert len((await fetch.request("GET", receiver.url)).body) == 64 * 1024


async def test_no_answer_in_time_fails_and_may_have_arrived(receiver: Receiver, fetch: Fetch):
    receiver.hangs = True
    with pytest.raises(FetchFailed) as caught:
        await fetch.request("POST", receiver.url, content=b"{}", timeout_s=0.2)
    assert caught.value.may_have_arrived


async def test_a_refused_connection_fails_and_cannot_have_arrived(fetch: Fetch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FetchFailed) as caught:
        await fetch.request("POST", f"http://127.0.0.1:{port}/", content=b"{}")
    assert not caught.value.may_have_arrived


async def test_a_host_without_address_fails_like_one_that_is_down():
    async def nothing(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    async with Fetch(resolve=nothing) as fetch:
        with pytest.raises(FetchFailed, match="cannot be resolved") as caught:
            await fetch.request("GET", "http://hooks.example/")
    assert not caught.value.may_have_arrived


async def test_the_next_address_is_used_when_the_first_does_not_answer(receiver: Receiver):
    port = receiver.url.rpartition(":")[2]
    async with Fetch(allow_private=True, resolve=resolving("::1", "127.0.0.1")) as fetch:
        assert (await fetch.request("GET", f"http://hooks.example:{port}/")).status == 200


async def test_an_answer_that_is_no_http_fails_and_may_have_arrived(fetch: Fetch):
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.test ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchFailed) as caught:
            await fetch.request("POST", f"http://127.0.0.1:{port}/", content=b"{}")
    assert caught.value.may_have_arrived
