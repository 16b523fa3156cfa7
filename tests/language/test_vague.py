"""Tasks that nobody can finish are asked to be sharpened; clear ones are left alone (mission 10.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.language.vague import vague

VAGUE = [
    "look into it", "Look into the payment errors", "look at the dashboards", "check the DB", "Check the database.",
    "have a look", "Please have a quick look at the cache", "investigate", "Investigate the latency", "check",
    "can you take a look at the logs", "dig into the queue", "debug checkout", "fix it", "take care of the disk",
    "keep an eye on the cluster", "monitor the situation", "follow up with the vendor", "Someone check on Redis",
    "see what is going on", "do something about the retries", "help with the comms", "work on the rollback",
]  # fmt: skip
CLEAR = [
    "Roll back checkout to version 411", "Restart node 7 and report whether bookings go on",
    "Check whether the EU region answers payments below 200 ms", "Ask the vendor when the maintenance ends",
    "Investigate why replica 2 lags and report by 03:40", "look at the checkout graph and say since when errors rose",
    "Monitor the error rate until it is below 1 % for 10 minutes", "Drain eu-west", "Write the update for customers",
    "check which of the last three deploys touched the cart", "Fix the weight of node 7 back to 100",
    "Count the orders that were booked twice", "Looker dashboard for finance: publish it", "",
]  # fmt: skip


@pytest.mark.parametrize("task", VAGUE)
def test_a_task_without_outcome_is_vague(task):
    hint = vague(task)
    assert hint is not None
    assert task[hint.start : hint.end] == hint.text
    assert hint.why.endswith("by when?")


@pytest.mark.parametrize("task", CLEAR)
def test_a_task_that_says_what_comes_out_of_it_is_not(task):
    assert vague(task) is None


@given(st.text(max_size=300))
def test_any_text_is_judged_and_the_place_holds(task):
    for text in (task, f"look into {task}"):
        hint = vague(text)
        assert hint is None or text[hint.start : hint.end] == hint.text
