"""A runbook's Markdown as steps and as questions whose answers say what comes next."""

from sev1.catalog.runbook import MOST_STEPS, Branch, RunbookStep, branch_of, steps_of


def test_list_items_are_steps_and_if_lines_below_them_are_questions_with_answers():
    body = "# T\n\n- [ ] Look at the errors\n  - if one region only -> drain it\n  - else → call platform\n1. Say so\n"
    assert steps_of(body) == (
        RunbookStep(
            text="Look at the errors",
            branches=(Branch(asks="One region only?", then="drain it"), Branch(asks="Else", then="call platform")),
        ),
        RunbookStep(text="Say so"),
    )


def test_branches_before_any_step_belong_to_the_question_what_do_you_see():
    [step] = steps_of("- if the disk is full -> prune it")
    assert step.text == "What do you see?"
    assert step.branches == (Branch(asks="The disk is full?", then="prune it"),)


def test_an_item_that_begins_with_if_and_has_no_arrow_is_a_step():
    assert branch_of("If in doubt, call platform") is None
    assert [step.text for step in steps_of("- If in doubt, call platform")] == ["If in doubt, call platform"]


def test_what_stands_in_fenced_code_is_no_step():
    assert [s.text for s in steps_of("```\n- not this\n```\n- this\n")] == ["this"]


def test_a_runbook_of_thousands_of_items_gives_fifty_steps():
    assert len(steps_of("- step\n" * 5000)) == MOST_STEPS
