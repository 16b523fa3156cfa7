"""Signals as people meet them: noted by a viewer without scripts, settled by a responder, and from a terminal."""

from sev1.access.model import Role


async def test_a_viewer_notes_a_signal_and_may_declare_from_it_but_not_settle_it(enter):
    viewer = await enter("vera", role=Role.VIEWER)
    answer = await viewer.send(
        "/signals", on="/signals", text="Disk <b>90 %</b>", service="checkout", tags="disk, Night"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/signals")
    page = await viewer.see("/signals")
    assert "Disk &lt;b&gt;90 %&lt;/b&gt;" in page
    assert 'href="/signals?state=open&amp;tag=night"' in page
    assert "/signals/1/review" not in page
    assert (await viewer.send("/signals/1/drop", on="/signals", reason="no")).status_code == 403
    declared = await viewer.send("/signals/1/promote", on="/signals")
    assert declared.headers["location"] == "/incidents/INC-1"
    assert '<a href="/signals/1">SIG-1</a>' in await viewer.see("/incidents/INC-1")
    assert (await viewer.http.get("/signals/1")).headers["location"] == "/signals?state=promoted&before=2#SIG-1"
    assert '<a href="/incidents/INC-1">INC-1</a>' in await viewer.see("/signals?state=promoted")


async def test_what_is_open_about_a_service_stands_on_its_page_until_it_is_settled(enter):
    ana = await enter()
    await ana.send("/signals", on="/signals", text="The failover needed two tries", service="checkout")
    await ana.send("/signals", on="/signals", text="Disk 90 %", service="search")
    page = await ana.see("/catalog/services/checkout")
    assert '<a href="/signals/1">SIG-1</a> The failover needed two tries' in page
    assert "Disk 90 %" not in page
    await ana.send("/signals/1/review", on="/signals", lesson="The check looks a week ahead")
    assert "SIG-1" not in await ana.see("/catalog/services/checkout")


async def test_a_refused_form_keeps_what_was_typed(enter):
    ana = await enter()
    refused = await ana.send("/signals", on="/signals", text="odd", tags="a/b", might_have="Much")
    assert refused.status_code == 400
    assert "A tag is one word" in refused.text
    assert "Much</textarea>" in refused.text
    await ana.send("/signals", on="/signals", text="odd")
    empty = await ana.send("/signals/1/review", on="/signals", lesson=" ")
    assert empty.status_code == 400
    assert '<details class="fold" id="d-review-1" open>' in empty.text
    reviewed = await ana.send("/signals/1/review", on="/signals", lesson="The check looks a week ahead")
    assert reviewed.headers["location"] == "/signals?state=reviewed"
    assert "Learnt: The check looks a week ahead" in await ana.see("/signals?state=reviewed")
    again = await ana.send("/signals/1/drop", on="/signals", reason="late")
    assert (again.status_code, "was reviewed already" in again.text) == (409, True)


async def test_blame_in_a_signal_is_pointed_out_after_it_was_kept(enter):
    ana = await enter()
    answer = await ana.send("/signals", on="/signals", text="Bob should have checked the dashboard")
    assert answer.headers["location"] == "/signals?said=1"
    assert "Recorded as you wrote it" in await ana.see("/signals?said=1")
    assert "Recorded as you wrote it" not in await ana.see("/signals")


async def test_signals_on_a_terminal(terminal):
    noted = await terminal("signal", "Bob broke the failover", "--near-miss", "--service", "checkout", "--tag", "db")
    assert noted.stdout == "SIG-1\n"
    assert "Bob broke" in noted.stderr
    assert "SIG-1  near-miss  [checkout]  Bob broke the failover" in (await terminal("signals", "--tag", "db")).output
    assert (
        await terminal("signal-review", "sig-1", "--lesson", "Failover is rehearsed monthly")
    ).output == "reviewed\n"
    again = await terminal("signal-promote", "1")
    assert (again.exit_code, again.output) == (1, "SIG-1 was reviewed already; nothing was changed.\n")
    await terminal("signal", "A graph had a gap")
    assert (await terminal("signal-promote", "SIG-2")).output == "INC-1\n"
    assert (await terminal("signal-drop", "x", "--reason", "y")).exit_code == 1
    assert (await terminal("signals")).output == "There is none.\n"
