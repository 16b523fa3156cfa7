"""TLS in front of a server on loopback, for clients that speak nothing else: a certificate made on the spot, and a relay."""

import asyncio
import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def tls_front(port: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """(https address, certificate to trust) of a relay to `port` that lives as long as the block."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="tls-front")
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(_listen(port, context), loop).result(timeout=10)
        yield f"https://{LOOPBACK}:{server.sockets[0].getsockname()[1]}", certificate
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """One that signs itself, for loopback, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sev1 behind TLS")])
    now = datetime.now(UTC)  # noqa: TID251 - the client's TLS library looks at the real clock
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "front.crt", folder / "front.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


async def _listen(port: int, context: ssl.SSLContext) -> asyncio.Server:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))
        finally:
            for end in (writer, behind_writer):
                end.transport.abort()

    return await asyncio.start_server(relay, LOOPBACK, 0, ssl=context)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All bytes of one direction; whichever side ends, the other is ended too."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _close(server: asyncio.Server) -> None:
    """Ends the relay and its connections, which clients like to keep open."""
    server.close()
    relays = asyncio.all_tasks() - {asyncio.current_task()}
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    await server.wait_closed()
