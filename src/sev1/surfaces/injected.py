"""What the app hands to every handler, by name."""

import asyncio
from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation

from sev1.access.keyring import KeyRing
from sev1.access.model import Principal
from sev1.access.sessions import Presence
from sev1.access.visibility import sight_of
from sev1.catalog.cache import CatalogCache
from sev1.command.sight import Sight
from sev1.engine.clock import Clock
from sev1.engine.commands import Commands
from sev1.engine.database import Database
from sev1.engine.news import News
from sev1.engine.settings import Settings
from sev1.oncall.outlook import Outlook
from sev1.replay.process import Replays

Db = NamedDependency[SkipValidation[Database]]
Now = NamedDependency[SkipValidation[Clock]]
Config = NamedDependency[SkipValidation[Settings]]
Doing = NamedDependency[SkipValidation[Commands]]
Catalogs = NamedDependency[SkipValidation[CatalogCache]]
Hears = NamedDependency[SkipValidation[News]]
Replaying = NamedDependency[SkipValidation[Replays]]
Foresees = NamedDependency[SkipValidation[Outlook]]
"""A handler's parameter `outlook: Foresees`: what the coming weeks of on call bring."""
Keys = NamedDependency[SkipValidation[KeyRing]]
Present = NamedDependency[SkipValidation[Presence]]
ServerSecret = NamedDependency[SkipValidation[bytes]]
"""What all nodes share: form tokens and the key for web push come from it."""
Stopping = NamedDependency[SkipValidation[asyncio.Event]]

SignedIn = Request[Principal, str, Any]


async def look(request: SignedIn, db: Db, catalogs: Catalogs) -> Sight:
    async with db.connection() as conn:
        return sight_of(request.user, await catalogs.current(conn))


Looks = NamedDependency[SkipValidation[Sight]]
"""A handler's parameter `sight: Looks`: which incidents the caller sees."""
PROVIDE_SIGHT = {"sight": Provide(look)}
