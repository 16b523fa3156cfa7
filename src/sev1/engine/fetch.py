"""Outgoing HTTP to addresses that users wrote down, guarded against reaching what only this machine should reach.

Server-side request forgery: a webhook to http://169.254.169.254/ or http://localhost:5432/ would act with our place in
the network. So each connection resolves its host once, checks every address, and goes to the very address that was
checked: a name that resolves differently a moment later (DNS rebinding) gains nothing. There are no redirects, cookies
and proxies here, so none can lead around the check. (OWASP, "Server-Side Request Forgery Prevention".)
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Self

import httpcore
import httpx
from msgspec import Struct

from sev1.engine.errors import Refused, Unavailable

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port -> IP addresses; raises OSError when there are none."""

TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
BODY_MAX = 64 * 1024
KEEP_ALIVE_S = 3.0
"""Below the 5 s after which common servers hang up, so that a kept connection is rarely one that is just closing."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")
"""RFC 9637; newer than the tables of Python 3.11."""
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
"""RFC 6052 and RFC 8215: the last 32 bits are an IPv4 address that a gateway will connect to."""
_ASSIGNED_V4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
"""Protocol assignments (RFC 6890) and 6to4 relays (RFC 7526), which Python 3.11 counts as global in part."""


class TargetRefused(Refused):
    """The address is one that outgoing requests must not reach, or no HTTP URL at all."""

    code = "target_refused"


class FetchFailed(Unavailable):
    """No answer. `may_have_arrived`: the request was on its way when the connection failed."""

    code = "fetch_failed"

    def __init__(self, message: str, *, may_have_arrived: bool) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class Answer(Struct, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    """At most the asked number of bytes; the rest was not read."""


async def system_resolve(host: str, port: int) -> list[str]:
    """Asks the operating system, off the event loop."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]


def is_public(address: str) -> bool:
    """Whether `address` is one that anybody on the internet could reach as well.

    Loopback, private, link-local, shared, multicast, reserved and documentation ranges are not (IANA special-purpose
    registries), nor are IPv6 forms that carry such an IPv4 address: mapped, compatible, NAT64, 6to4, Teredo.
    """
    ip: _Address = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        carried = _carried_v4(ip)
        if carried is not None:
            return is_public(str(carried))
        return ip in _GLOBAL_UNICAST and ip.is_global and ip.teredo is None and ip not in _DOCUMENTATION
    special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _ASSIGNED_V4)
    return ip.is_global and not special


def _carried_v4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if any(ip in network for network in _NAT64):
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None


def check_url(url: str) -> httpx.URL:
    """`url` parsed. Raises TargetRefused unless it is http(s) with a host and without user and password."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise TargetRefused(f"This is not a URL: {error}.") from error
    if parsed.scheme not in {"http", "https"}:
        raise TargetRefused(f"Only http and https are allowed, not {parsed.scheme or 'a URL without a scheme'}.")
    if not parsed.host:
        raise TargetRefused("The URL names no host.")
    if parsed.userinfo:
        raise TargetRefused("The URL holds a user name or password; leave it out.")
    return parsed


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses only. TLS still verifies the host's name, not the address."""

    def __init__(self, resolve: Resolve, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self.addresses(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses: Sequence[str] = [str(ipaddress.ip_address(host))]
        except ValueError:
            try:
                addresses = await self._resolve(host, port)
            except OSError as error:
                raise httpcore.ConnectError(f"{host} cannot be resolved ({error})") from error
        # One bad address refuses the host: half of its connections working would be worse than none.
        if not self._allow_private and not all(map(is_public, addresses)):
            raise TargetRefused(
                f"{host} is a private or otherwise special address. "
                "Set SEV1_ALLOW_PRIVATE_TARGETS=true if requests may go there."
            )
        return addresses

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class Fetch:
    """Sends single requests over kept connections; one per process is enough. `close()` it, or use `async with`."""

    def __init__(self, *, allow_private: bool = False, resolve: Resolve = system_resolve) -> None:
        self._network = _CheckedNetwork(resolve, allow_private=allow_private)
        self._pool = httpcore.AsyncConnectionPool(
            # The environment may name the certificate authorities (SSL_CERT_FILE); a proxy it names is not used.
            ssl_context=httpx.create_ssl_context(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=self._network,
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """The addresses of `host` that may be connected to, for what is not HTTP. Raises TargetRefused, FetchFailed."""
        try:
            found = await self._network.addresses(host, port)
        except (httpcore.ConnectError, UnicodeError) as error:
            raise FetchFailed(f"{host} cannot be reached ({_words(error)}).", may_have_arrived=False) from error
        if not found:
            raise FetchFailed(f"{host} has no address.", may_have_arrived=False)
        return found

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_s: float = TIMEOUT_S,
        body_max: int = BODY_MAX,
    ) -> Answer:
        """The answer, whatever its status; a redirect is an answer like any other.

        `timeout_s` bounds the whole exchange. Raises TargetRefused, or FetchFailed when there was no answer.
        """
        target = check_url(url)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(method, target, headers or {}, content, timeout_s, body_max)
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout) as error:
            raise FetchFailed(f"{target.host} cannot be reached ({_words(error)}).", may_have_arrived=False) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise FetchFailed(f"{target.host} broke off ({_words(error)}).", may_have_arrived=True) from error
        except TimeoutError as error:
            raise FetchFailed(f"{target.host} did not answer within {timeout_s:g} s.", may_have_arrived=True) from error

    async def _exchange(
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_s: float,
        body_max: int,
    ) -> Answer:
        raw = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        limits = {
            "connect": min(CONNECT_TIMEOUT_S, timeout_s),
            "read": timeout_s,
            "write": timeout_s,
            "pool": timeout_s,
        }
        async with self._pool.stream(
            method,
            raw,
            headers=[("Host", url.netloc.decode("ascii")), *headers.items()],
            content=content,
            extensions={"timeout": limits},
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) >= body_max:
                    break
            return Answer(
                status=response.status,
                headers={name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers},
                body=bytes(body[:body_max]),
            )


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
