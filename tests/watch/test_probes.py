"""Probes against real servers on loopback: what each finds, and that it is guarded, bounded and over in time."""

import asyncio
import datetime as dt
import socket
import ssl

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sev1.catalog.model import DnsProbe, HttpProbe, TcpProbe, TlsProbe
from sev1.engine.fetch import Fetch
from sev1.watch.probes import Probes


@pytest.fixture
async def probes(clock):
    async with Fetch(allow_private=True) as fetch:
        yield Probes(fetch, clock)


async def why(probes, probe, ok: bool, timeout_s: float = 5) -> str:
    outcome = await probes.run(probe, timeout_s=timeout_s)
    assert outcome.ok is ok, outcome.why
    return outcome.why


async def test_http_is_right_when_status_text_and_pattern_are(probes, web):
    web.body = b"<h1>Welcome</h1> build 1234"
    assert "answers 200" in await why(probes, HttpProbe(url=web.url, contains="Welcome", pattern=r"build \d+"), True)


@pytest.mark.parametrize(
    ("probe", "status", "words"),
    [
        ({}, "500 Oops", "answers 500, not 200"),
        ({}, "302 Found", "answers 302"),
        ({"contains": "Goodbye"}, "200 OK", 'does not contain "Goodbye"'),
        ({"pattern": "b{3}"}, "200 OK", "does not match"),
    ],
)
async def test_http_says_what_is_wrong(probes, web, probe, status, words):
    web.status = status
    assert words in await why(probes, HttpProbe(url=web.url, **probe), False)


async def test_http_that_is_slower_than_it_may_be_is_a_failure(web, clock):
    seconds = iter([0.0, 0.75])
    async with Fetch(allow_private=True) as fetch:
        slow = Probes(fetch, clock, monotonic=lambda: next(seconds))
        assert await why(slow, HttpProbe(url=web.url, slower_than_ms=500), False) == "It took 750 ms, more than 500."


async def test_a_body_that_never_ends_is_read_in_part(probes, web):
    web.endless = True
    assert "does not contain" in await why(probes, HttpProbe(url=web.url, contains="nothing"), False)


async def test_a_server_that_never_answers_is_left_in_time(probes):
    async def silent(reader, writer):
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert "within 0.2 s" in await why(probes, HttpProbe(url=f"http://127.0.0.1:{port}/"), False, 0.2)
    assert "No answer within 0.2 s" in await why(probes, TlsProbe(host="127.0.0.1", port=port), False, 0.2)
    server.close()


@pytest.mark.parametrize(
    "probe",
    [
        HttpProbe(url="http://127.0.0.1/"),
        TcpProbe(host="127.0.0.1", port=5432),
        TlsProbe(host="169.254.169.254"),
        DnsProbe(host="a.example", server="127.0.0.1"),
    ],
    ids=["http", "tcp", "tls", "dns"],
)
async def test_none_reaches_private_addresses_unless_that_is_allowed(clock, probe):
    async with Fetch() as fetch:
        assert "private or otherwise special" in await why(Probes(fetch, clock), probe, False)


async def test_tcp_connects_or_says_that_it_cannot(probes, web):
    assert "takes connections" in await why(probes, TcpProbe(host="127.0.0.1", port=web.port), True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert "cannot be reached" in await why(probes, TcpProbe(host="127.0.0.1", port=port), False)


@pytest.fixture
async def tls(clock, tmp_path):
    """Starts TLS servers whose certificates are for a name and end after so many days."""
    servers = []

    async def start(name: str, days: float) -> int:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = clock.now()
        certificate = (
            x509.CertificateBuilder(subject, subject, key.public_key(), 1000)
            .not_valid_before(now - dt.timedelta(days=100))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = tmp_path / "server.pem"
        path.write_bytes(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return server.sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    ("name", "days", "asked", "ok", "words"),
    [
        ("shop.example", 30.5, "shop.example", True, "good for 30 days"),
        ("*.shop.example", 30.5, "www.shop.example", True, "good for 30 days"),
        ("*.shop.example", 30.5, "a.b.shop.example", False, "is for *.shop.example, not a.b.shop.example"),
        ("shop.example", 30.5, "other.example", False, "is for shop.example, not other.example"),
        ("shop.example", 13.5, "shop.example", False, "ends in 13 days, fewer than 14"),
        ("shop.example", -1, "shop.example", False, "ended on 2026-03-01"),
    ],
)
async def test_tls_looks_at_name_and_end_of_the_certificate(probes, tls, name, days, asked, ok, words):
    port = await tls(name, days)
    assert words in await why(probes, TlsProbe(host="127.0.0.1", port=port, server_name=asked), ok)


async def test_tls_where_nobody_speaks_it_is_a_failure(probes):
    async def smtp(_, writer):
        writer.write(b"220 mail.test ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(smtp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert "cannot be reached" in await why(probes, TlsProbe(host="127.0.0.1", port=port), False)
    server.close()


class NameServer(asyncio.DatagramProtocol):
    """A DNS responder on loopback."""

    def __init__(self) -> None:
        self.answers = ["192.0.2.1", "192.0.2.2"]
        self.rcode = dns.rcode.NOERROR
        self.garbage = False

    def connection_made(self, transport):
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data, addr):
        query = dns.message.from_wire(data)
        response = dns.message.make_response(query)
        response.set_rcode(self.rcode)
        if self.answers:
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", *self.answers))
        self.transport.sendto(b"\0garbage" if self.garbage else response.to_wire(), addr)


@pytest.fixture
async def names():
    server = NameServer()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, ("127.0.0.1", 0))
    yield server
    transport.close()


def asks(names, *expect: str) -> DnsProbe:
    return DnsProbe(host="shop.example", server="127.0.0.1", port=names.port, expect=expect)


async def test_dns_compares_all_answers_in_any_order(probes, names):
    assert "192.0.2.1, 192.0.2.2" in await why(probes, asks(names), True)
    await why(probes, asks(names, "192.0.2.2", "192.0.2.1"), True)
    assert "not 192.0.2.1" in await why(probes, asks(names, "192.0.2.1"), False)


async def test_dns_without_the_name_or_the_record_is_a_failure(probes, names):
    names.answers = []
    assert "has no A record" in await why(probes, asks(names), False)
    names.rcode = dns.rcode.NXDOMAIN
    assert "answered by NXDOMAIN" in await why(probes, asks(names), False)


async def test_dns_that_answers_garbage_is_left_in_time(probes, names):
    names.garbage = True
    await why(probes, asks(names), False, 0.3)
