"""The catalog that somebody sends to be tried: a zip or tar of its folder, or YAML that replaces objects of the one in force.

Read where it can be stopped (`replay/process.py`): an archive is unpacked within limits, and only what a catalog holds.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sev1.catalog.load import LARGEST_CATALOG, LARGEST_FILE_BYTES, MOST_FILES, laid_over, load
from sev1.catalog.model import Catalog
from sev1.engine.errors import Invalid

SUFFIXES = {".yaml", ".yml", ".md"}


def read_given(body: bytes, in_force: Catalog) -> Catalog:
    """Of an archive the whole catalog; of text the one in force with the objects that the text holds in place of theirs.

    Raises Invalid when it is neither, `CatalogInvalid` with every problem when the catalog cannot be taken.
    """
    if not body.strip():
        raise Invalid("Send the catalog to be tried: a zip or tar of its folder, or YAML.")
    files = _files_of(body)
    if files is None:
        return laid_over(in_force, _text_of(body))
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return load(Path(folder))


def _text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Invalid("It is neither a zip, a tar nor YAML in UTF-8.") from None


def _files_of(body: bytes) -> dict[str, bytes] | None:
    """What a catalog reads of an archive, by path; None when it is none."""
    try:
        if body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                return _gathered(_of_zip(archive))
        if body[:2] == b"\x1f\x8b" or body[257:262] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(body)) as tar:
                return _gathered(_of_tar(tar))
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
        raise Invalid("The archive cannot be read. Send a zip or a tar.gz without a password.") from None
    return None


def _of_zip(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for entry in archive.infolist():
        if not entry.is_dir() and _wanted(entry.filename):
            with archive.open(entry) as file:
                yield entry.filename, file.read(LARGEST_FILE_BYTES + 1)


def _of_tar(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for entry in archive:
        if entry.isfile() and _wanted(entry.name) and (file := archive.extractfile(entry)):
            yield entry.name, file.read(LARGEST_FILE_BYTES + 1)


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in SUFFIXES and not any(
        part.startswith((".", "__MACOSX")) for part in path.parts if part not in {".", ".."}
    )


def _gathered(entries: Iterator[tuple[str, bytes]]) -> dict[str, bytes]:
    """By path, without the one folder in which everything lies, as those who pack a folder get it."""
    found: dict[tuple[str, ...], bytes] = {}
    size = 0
    for name, content in entries:
        parts = PurePosixPath(name).parts
        if PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or "\0" in name:
            raise Invalid("The archive holds a path that leads out of it.")
        found[parts] = content
        size += len(content)
        if len(content) > LARGEST_FILE_BYTES or size > LARGEST_CATALOG or len(found) > MOST_FILES:
            raise Invalid("The archive holds more than a catalog may. Send the catalog's folder alone.")
    if not found:
        raise Invalid("The archive holds neither .yaml files nor runbooks/*.md.")
    top = {parts[0] for parts in found}
    while len(top) == 1 and "runbooks" not in top and all(len(parts) > 1 for parts in found):
        found = {parts[1:]: content for parts, content in found.items()}
        top = {parts[0] for parts in found}
    return {"/".join(parts): content for parts, content in found.items()}
