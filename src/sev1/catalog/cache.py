"""The catalog in memory. One cheap query tells whether the copy is current, so nobody acts on an old one."""

import asyncpg

from sev1.catalog import store
from sev1.catalog.model import Catalog


class CatalogCache:
    """Shared by everything in the process that reads the catalog."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None

    async def current(self, conn: asyncpg.Connection) -> Catalog:
        """The catalog as this transaction sees it."""
        version = await store.read_version(conn)
        if self._catalog is None or self._catalog.version != version:
            self._catalog = await store.read(conn)
        return self._catalog
