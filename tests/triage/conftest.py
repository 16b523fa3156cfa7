from collections.abc import AsyncIterator

import pytest

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database

from .door import Door
from .world import World, organisation


@pytest.fixture
async def world(db: Database, clock: FakeClock) -> World:
    world = World(db, clock)
    await world.apply(organisation())
    return world


@pytest.fixture
async def door(world: World, fresh_database_url: str) -> AsyncIterator[Door]:
    async with Door(world, fresh_database_url) as door:
        yield door
