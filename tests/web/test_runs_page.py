"""A runbook on the page of an incident: offered, ticked, stopped."""

import re

from sev1.access.model import Role
from sev1.command import model as m
from sev1.command.parts.privacy import Restrict
from sev1.command.parts.runs import StartRun, TickStep


async def test_a_runbook_is_offered_ticked_with_a_button_and_shows_what_it_waits_for(enter, declared):
    key = await declared("Orders fail", services=("checkout",))
    ana = await enter()
    assert 'data-say="/run checkout-errors"' in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/lines", line="/run checkout-errors")
    html = await ana.see(f"/incidents/{key}")
    assert 'data-say="/run checkout-errors"' not in html
    assert "0 of 5" in html
    assert 'id="f-tick-1-1"' in html
    assert html.count("waits for the STOP") == 2
    await ana.send(f"/incidents/{key}/commands", type="tick_step", run="1", step="1", outcome="done")
    html = await ana.see(f"/incidents/{key}")
    assert "1 of 5" in html
    assert 'id="f-tick-1-2"' in html
    await ana.send(f"/incidents/{key}/lines", line="/tick 3 <b>nothing</b> is booked")
    html = await ana.see(f"/incidents/{key}")
    assert "&lt;b&gt;nothing&lt;/b&gt; is booked" in html
    assert "waits for the STOP" not in html


async def test_a_restricted_incident_is_offered_what_responders_and_security_do_together_first(enter, declared, run):
    key = await declared("Card data was read", services=("checkout",))
    ana = await enter()
    offer = re.compile(r'data-say="/run ([a-z-]+)"')
    assert offer.findall(await ana.see(f"/incidents/{key}")) == ["checkout-errors"]
    await run(key, m.AssignRole(role="security", person="ana"), Restrict(reason="a breach"))
    assert offer.findall(await ana.see(f"/incidents/{key}")) == ["security-incident", "checkout-errors"]
    await ana.send(f"/incidents/{key}/lines", line="/run security-incident")
    html = await ana.see(f"/incidents/{key}")
    assert "name a Security lead and an Operations lead" in html
    assert offer.findall(html) == ["checkout-errors"]


async def test_who_may_only_read_sees_the_run_and_no_button(enter, declared, run):
    key = await declared("Orders fail", services=("checkout",))
    await run(key, StartRun(runbook="checkout-errors"), TickStep(step=1, note="rolled back"))
    html = await (await enter("ana", Role.VIEWER)).see(f"/incidents/{key}")
    assert "rolled back" in html
    assert "f-tick-" not in html
    assert "/tick" not in html


async def test_a_tick_reaches_whoever_watches(enter, declared, run, listen):
    key = await declared("Orders fail", services=("checkout",))
    await run(key, StartRun(runbook="checkout-errors"))
    ana = await enter()
    async with listen(ana, f"/incidents/{key}/events?after=2") as stream:
        await stream.next_of("change")
        await run(key, TickStep(step=1, note="rolled back"))
        message = await stream.next_of("change")
        assert 'id="work-runs"' in message.data
        assert "1 of 5" in message.data


async def test_what_was_left_open_says_so_at_the_end(enter, declared, run):
    key = await declared("Orders fail", services=("checkout",))
    await run(key, StartRun(runbook="checkout-errors"), m.CloseFalseAlarm())
    html = await (await enter()).see(f"/incidents/{key}")
    assert "left open at the end" in html
    assert "f-tick-" not in html
