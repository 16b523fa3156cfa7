"""What an escalation policy may not say, with file and line."""

import pytest
from tests.catalog.conftest import SMALL

from sev1.catalog.load import inspect

HEAD = "kind: escalation-policy\nname: p\ntitle: P\n"
ANA = "targets: [{kind: person, name: ana}]"
REFUSED = {
    f"{HEAD}steps:\n- {ANA}\n  when:\n    severity_at_least: sev-1\n    severity_at_most: sev-3\n": (
        'more.yaml:8: escalation-policy "p" has a condition in step 1 that never holds: no severity is both sev-1 or '
        "worse and sev-3 or milder. Exchange them: `severity_at_least: sev-3`, `severity_at_most: sev-1`."
    ),
    f"{HEAD}steps:\n- {ANA}\n  round_robin: true\n": (
        'more.yaml:6: escalation-policy "p" takes turns in step 1, which has one target. '
        "Add targets, name a team of several people, or remove `round_robin`."
    ),
    f"{HEAD}steps:\n- {ANA}\n- {ANA}\n  when:\n    hours:\n    - start: 09:00\n      end: 09:00\n": (
        'more.yaml:10: escalation-policy "p" has a window from 09:00 to 09:00, which has no length. '
        "Correct `end`; for whole days leave out both times."
    ),
    f"{HEAD}hold:\n  hours:\n  - start: 10:00\n    end: 10:00\nsteps:\n- {ANA}\n": (
        'more.yaml:7: escalation-policy "p" has a window from 10:00 to 10:00, which has no length. '
        "Correct `end`; for whole days leave out both times."
    ),
    f"{HEAD}hold:\n  severity_at_most: sev-1\nsteps:\n- {ANA}\n": (
        'more.yaml:5: escalation-policy "p": `hold.severity_at_most` must be one of sev-2 to sev-5: what is worse never '
        'waits, not "sev-1".'
    ),
    f"{HEAD}steps:\n- {ANA}\n  when:\n    severity_at_least: sev-5\n- {ANA}\n": (
        'more.yaml:7: escalation-policy "p" asks in step 1 about severity "sev-5", which does not exist. '
        'Did you mean "sev-3"?'
    ),
    f"{HEAD}steps:\n- {ANA}\n  wait_s_by_severity:\n    sev-0: 30\n": (
        'more.yaml:7: escalation-policy "p" waits in step 1 by its own time for severity "sev-0", which does not exist. '
        'Did you mean "sev-3"?'
    ),
    f"{HEAD}steps:\n- {ANA}\n  wait_s_by_severity: {{sev-1: 5}}\n": (
        'more.yaml:6: escalation-policy "p": `steps[0].wait_s_by_severity.sev-1` must be 10 or more.'
    ),
    f"{HEAD}time_zone: Europe/Berln\nsteps:\n- {ANA}\n": (
        'more.yaml:4: escalation-policy "p" is in time zone "Europe/Berln", which does not exist. '
        'Did you mean "Europe/Berlin"?'
    ),
    f"{HEAD}steps:\n- {ANA}\n  prefer: best\n": (
        'more.yaml:6: escalation-policy "p": `steps[0].prefer` must be one of awake, not "best".'
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_meant_is_refused(problems_beside_small, text):
    assert problems_beside_small(text) == [REFUSED[text]]


UNTIDY = {
    f"{HEAD}steps:\n- {ANA}\n  when: {{severity_at_least: sev-2}}\n": (
        'escalation-policy "p" has a condition on every step: a page that meets none wakes nobody.'
    ),
    f"{HEAD}repeat: 0\npause_s: 60\nsteps:\n- {ANA}\n": (
        'escalation-policy "p" pauses between rounds and has only one.'
    ),
    f"{HEAD}steps:\n- {ANA}\n- {ANA}\n  when: {{}}\n": 'escalation-policy "p" has an empty condition in step 2.',
}


@pytest.mark.parametrize("text", UNTIDY)
def test_what_is_untidy_is_a_warning(folder, text):
    loaded = inspect(folder({"small.yaml": SMALL, "more.yaml": text}))
    assert UNTIDY[text] in [warning.message for warning in loaded.warnings]


def test_everything_a_policy_can_say_is_read(folder):
    loaded = inspect(
        folder(
            {
                "small.yaml": SMALL,
                "more.yaml": f"""
                kind: escalation-policy
                name: p
                title: P
                time_zone: Europe/Berlin
                repeat: 2
                pause_s: 60
                hold: {{severity_at_most: sev-3, hours: [{{days: [monday], start: 09:00, end: 17:00}}]}}
                steps:
                - {ANA}
                  wait_s_by_severity: {{sev-1: 30}}
                  when: {{severity_at_least: sev-2, hours_of: person, hours: [{{start: 22:00, end: 06:00}}]}}
                - targets: [{{kind: team, name: payments}}]
                  round_robin: true
                  prefer: awake
                """,
            }
        )
    )
    policy = loaded.catalog.policies["p"]
    assert policy.steps[0].wait_for("sev-1") == 30
    assert policy.steps[0].when is not None
    assert policy.steps[0].when.hours_of == "person"
    assert policy.steps[1].round_robin
    assert policy.hold is not None
    assert policy.hold.hours[0].start.hour == 9
