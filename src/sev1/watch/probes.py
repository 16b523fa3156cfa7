"""One probe: HTTP, TCP, TLS, DNS. Each goes through the guard of outgoing connections and is over within its time."""

import asyncio
import contextlib
import ipaddress
import ssl
import time
from collections.abc import Callable

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import re2
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from sev1.catalog.model import DnsProbe, HttpProbe, Probe, TcpProbe, TlsProbe
from sev1.engine.clock import Clock
from sev1.engine.fetch import Fetch, FetchFailed, TargetRefused
from sev1.watch.model import Outcome

PATTERN_MEMORY_BYTES = 1 << 20


class Probes:
    """`await run(probe, timeout_s=…)` never raises for what it finds; `monotonic` gives seconds."""

    def __init__(self, fetch: Fetch, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._monotonic = monotonic

    async def run(self, probe: Probe, *, timeout_s: float) -> Outcome:
        try:
            async with asyncio.timeout(timeout_s):
                match probe:
                    case HttpProbe():
                        return await self._http(probe, timeout_s)
                    case TcpProbe():
                        return await self._tcp(probe)
                    case TlsProbe():
                        return await self._tls(probe)
                    case DnsProbe():
                        return await self._dns(probe, timeout_s)
        except (FetchFailed, TargetRefused) as error:
            return Outcome(ok=False, why=error.message)
        except TimeoutError:
            return Outcome(ok=False, why=f"No answer within {timeout_s:g} s.")
        except (OSError, dns.exception.DNSException) as error:
            return Outcome(ok=False, why=f"It cannot be reached ({str(error)[:200] or type(error).__name__}).")

    async def _http(self, probe: HttpProbe, timeout_s: float) -> Outcome:
        began_s = self._monotonic()
        answer = await self._fetch.request("GET", probe.url, headers={"User-Agent": "sev1"}, timeout_s=timeout_s)
        took_ms = round((self._monotonic() - began_s) * 1000)
        text = answer.body.decode("utf-8", "replace")
        if answer.status not in probe.status:
            why = f"It answers {answer.status}, not {' or '.join(map(str, probe.status))}."
        elif probe.contains is not None and probe.contains not in text:
            why = f'The answer does not contain "{probe.contains[:80]}".'
        elif probe.pattern is not None and not _found(probe.pattern, text):
            why = f'The answer does not match "{probe.pattern[:80]}".'
        elif probe.slower_than_ms is not None and took_ms > probe.slower_than_ms:
            why = f"It took {took_ms} ms, more than {probe.slower_than_ms}."
        else:
            return Outcome(ok=True, why=f"It answers {answer.status} in {took_ms} ms.", took_ms=took_ms)
        return Outcome(ok=False, why=why, took_ms=took_ms)

    async def _tcp(self, probe: TcpProbe) -> Outcome:
        address = (await self._fetch.addresses(probe.host, probe.port))[0]
        began_s = self._monotonic()
        _, writer = await asyncio.open_connection(address, probe.port)
        took_ms = round((self._monotonic() - began_s) * 1000)
        await _close(writer)
        return Outcome(ok=True, why=f"It takes connections, in {took_ms} ms.", took_ms=took_ms)

    async def _tls(self, probe: TlsProbe) -> Outcome:
        address = (await self._fetch.addresses(probe.host, probe.port))[0]
        name = probe.server_name or probe.host
        # Nothing is sent over it, and a certificate that is wrong is what we want to see: so nothing is verified here.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _, writer = await asyncio.open_connection(address, probe.port, ssl=context, server_hostname=name)
        try:
            der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        finally:
            await _close(writer)
        try:
            certificate = x509.load_der_x509_certificate(der)
            names = _names(certificate)
        except (ValueError, TypeError):
            return Outcome(ok=False, why="Its certificate cannot be read.")
        if not _is_for(name, names):
            return Outcome(ok=False, why=f"Its certificate is for {', '.join(names[:5]) or 'nobody'}, not {name}.")
        left = certificate.not_valid_after_utc - self._clock.now()
        if left.total_seconds() <= 0:
            return Outcome(ok=False, why=f"Its certificate ended on {certificate.not_valid_after_utc:%Y-%m-%d}.")
        if certificate.not_valid_before_utc > self._clock.now():
            return Outcome(ok=False, why=f"Its certificate begins on {certificate.not_valid_before_utc:%Y-%m-%d} only.")
        if left.days < probe.days_left:
            return Outcome(ok=False, why=f"Its certificate ends in {left.days} days, fewer than {probe.days_left}.")
        return Outcome(ok=True, why=f"Its certificate is good for {left.days} days.")

    async def _dns(self, probe: DnsProbe, timeout_s: float) -> Outcome:
        if probe.server is not None:
            server, port = (await self._fetch.addresses(probe.server, probe.port))[0], probe.port
        else:
            server, port = str(dns.resolver.get_default_resolver().nameservers[0]), 53
        query = dns.message.make_query(probe.host, probe.type)
        answer, _ = await dns.asyncquery.udp_with_fallback(query, server, timeout=timeout_s, port=port)
        if answer.rcode() != dns.rcode.NOERROR:
            return Outcome(ok=False, why=f"{probe.host} is answered by {dns.rcode.to_text(answer.rcode())}.")
        wanted_type = dns.rdatatype.from_text(probe.type)
        found = sorted(
            {_plain(item.to_text()) for rrset in answer.answer if rrset.rdtype == wanted_type for item in rrset}
        )[:50]
        if not found:
            return Outcome(ok=False, why=f"{probe.host} has no {probe.type} record.")
        if probe.expect and found != sorted({_plain(text) for text in probe.expect}):
            return Outcome(ok=False, why=f"{probe.host} is {', '.join(found)}, not {', '.join(probe.expect)}."[:500])
        return Outcome(ok=True, why=f"{probe.host} is {', '.join(found)}."[:500])


def _found(pattern: str, text: str) -> bool:
    options = re2.Options()
    options.max_mem = PATTERN_MEMORY_BYTES
    options.log_errors = False
    return re2.compile(pattern, options).search(text) is not None


def _plain(text: str) -> str:
    return text.strip('"').rstrip(".").lower()


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return []
    value = extension.value
    assert isinstance(value, x509.SubjectAlternativeName)
    return value.get_values_for_type(x509.DNSName) + [str(ip) for ip in value.get_values_for_type(x509.IPAddress)]


def _is_for(name: str, names: list[str]) -> bool:
    """RFC 6125: a wildcard stands for exactly one label, the leftmost; an address must be there as an address."""
    name = name.lower().rstrip(".")
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(name)) in names
    parent = name.partition(".")[2]
    return any(n.lower() == name or (n.startswith("*.") and parent and n[2:].lower() == parent) for n in names)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError, ssl.SSLError):
        async with asyncio.timeout(1):
            await writer.wait_closed()
