"""The catalog in words: what depends on what, who is woken."""

from datetime import UTC, datetime

from sev1.catalog.model import Catalog
from sev1.surfaces.web.catalog_view import blast_radius, policy_lines, service_screen


def test_a_service_shows_both_directions_and_what_lies_further_on(nordlicht: Catalog) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    screen = service_screen(nordlicht.services["main-db"], nordlicht, {}, now)
    assert screen.needs == ()
    assert {s.name for s in screen.needed_by} == {"payments", "accounts", "orders"}
    assert {s.name for s in screen.reach} == {"checkout", "storefront", "warehouse"}
    assert blast_radius("main-db", nordlicht) == {s.name for s in (*screen.needed_by, *screen.reach)}
    assert screen.answers[0][1] != ()


def test_each_step_of_a_policy_says_whom_and_for_how_long(nordlicht: Catalog) -> None:
    assert policy_lines(nordlicht.policies["payments"], nordlicht) == (
        "Payments on-call, 3 min until the next step",
        "Payments on-call and Platform on-call, 5 min until the next step",
        "everybody in Payments, 5 min, then from the start, 3 times",
    )


def test_a_policy_tells_its_conditions_turns_and_waits(nordlicht: Catalog) -> None:
    lines = policy_lines(nordlicht.policies["storefront-and-desk"], nordlicht)
    assert lines[0] == "Storefront on-call and Platform around the clock, for SEV-1 and worse, 30 s until the next step"
    assert lines[3] == "everybody in Storefront, whoever is awake first, 5 min, then from the start, 3 times"
    turns = policy_lines(nordlicht.policies["fulfilment"], nordlicht)
    assert turns[1] == "one in turn of everybody in Fulfilment, 3 min until the next step"
    desk = policy_lines(nordlicht.policies["desk-first"], nordlicht)
    assert desk[0] == "Platform around the clock, 2 min (30 s for SEV-0, 30 s for SEV-1) until the next step"
    assert desk[2].endswith("then from the start, 3 times after a pause of 1 min")
