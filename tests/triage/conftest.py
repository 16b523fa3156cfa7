import pytest

from sev1.engine.clock import FakeClock
from sev1.engine.database import Database

from .world import World, organisation


@pytest.fixture
async def world(db: Database, clock: FakeClock) -> World:
    world = World(db, clock)
    await world.apply(organisation())
    return world
