"""A runbook's Markdown as a checklist with its cues."""

import pytest

from sev1.catalog.checklist import ChecklistStep, checklist_of
from sev1.catalog.load import load
from sev1.catalog.runbook import Branch
from sev1.cli.demo import SAMPLE


def test_items_and_cues_come_in_the_order_of_the_text() -> None:
    body = """# Failover

Some prose that is no step. STOP is a word in it.

- [ ] Fence the old primary
  - if it answers -> ask platform
- else -> go on

🛑 STOP: is it really dead?
1. **VERIFY:** a new order shows up
**DONE**: the standby is in sync
"""
    assert checklist_of(body) == (
        ChecklistStep(
            text="Fence the old primary",
            branches=(Branch(asks="It answers?", then="ask platform"), Branch(asks="Else", then="go on")),
        ),
        ChecklistStep(text="is it really dead?", cue="stop"),
        ChecklistStep(text="a new order shows up", cue="verify"),
        ChecklistStep(text="the standby is in sync", cue="done"),
    )


@pytest.mark.parametrize("line", ["stop: a sentence", "STOP it", "We STOP: here", "`STOP:` in code", "Done: by hand"])
def test_what_only_looks_like_a_cue_is_none(line: str) -> None:
    assert checklist_of(line) == ()


def test_what_stands_in_fenced_code_is_no_step() -> None:
    assert checklist_of("```\n- [ ] no\nSTOP: no\n```\n- yes") == (ChecklistStep(text="yes"),)


def test_a_cue_without_words_still_stops() -> None:
    assert checklist_of("🛑 STOP:") == (ChecklistStep(text="Stop", cue="stop"),)


def test_no_more_than_fifty_steps_are_taken() -> None:
    assert len(checklist_of("- step\n" * 80)) == 50


def test_the_sample_runbooks_end_with_their_done() -> None:
    for runbook in load(SAMPLE).runbooks.values():
        steps = checklist_of(runbook.body)
        assert steps[-1].cue == "done", runbook.name
        assert [step.cue for step in steps].count("verify") == 1, runbook.name
