"""Every command and event of an incident is known by exactly one place, and every event has words."""

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from sev1.command import model as m
from sev1.command.decide import IncidentAggregate
from sev1.command.parts import PARTS, kinds_of, part_of

PART_COMMANDS = [c for part in PARTS for c in kinds_of(part.commands)]
PART_EVENTS = [e for part in PARTS for e in kinds_of(part.events)]


def test_every_part_is_in_the_lists_of_the_incident():
    assert set(PART_COMMANDS) < set(get_args(m.ResponderCommand))
    assert set(PART_EVENTS) < set(get_args(m.IncidentEvent))
    assert {part.name for part in PARTS} < set(m.Incident.__struct_fields__)


def test_no_two_parts_know_the_same():
    known = [*PART_COMMANDS, *PART_EVENTS]
    assert len(known) == len(set(known))


def test_what_a_timer_asks_for_cannot_be_asked_by_people():
    for part in PARTS:
        for command in part.timer_commands.values():
            assert command not in get_args(m.ResponderCommand)
            assert command in get_args(m.TimerCommand)


@pytest.mark.parametrize("part", [part for part in PARTS if part.timer_commands], ids=lambda part: part.name)
def test_what_a_part_waits_for_asks_that_part(part):
    for kind in part.timer_commands:
        command = IncidentAggregate().timer_command(kind, datetime(2026, 3, 2, tzinfo=UTC))
        assert part_of(command) is part


def test_a_timer_that_no_part_knows_is_an_error():
    with pytest.raises(ValueError, match="no timer"):
        IncidentAggregate().timer_command("nope", datetime(2026, 3, 2, tzinfo=UTC))


def test_the_events_of_an_incident_are_told_apart_by_their_names():
    tags = [event.__struct_config__.tag for event in get_args(m.IncidentEvent)]
    assert len(tags) == len(set(tags))
    assert msgspec.json.Decoder(m.IncidentEvent)
