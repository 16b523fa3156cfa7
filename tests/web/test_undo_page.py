"""What was taken back, on the page and in its stream."""

from sev1.access.model import Role
from sev1.command import model as m


async def test_an_entry_that_was_taken_back_is_struck_and_linked_both_ways(enter, declared):
    key = await declared("Everything is slow")
    ana = await enter()
    await ana.send(f"/incidents/{key}/lines", line="/note <b>it</b> is db-2")
    html = await ana.see(f"/incidents/{key}")
    assert 'data-say="/undo 2"' in html
    assert 'data-say="/undo 1"' not in html
    await ana.send(f"/incidents/{key}/lines", line="/undo 2")
    html = await ana.see(f"/incidents/{key}")
    assert '<li class="entry note corrected" id="entry-2">' in html
    assert '<a href="#entry-3">undone by entry 3</a>' in html
    assert '<a href="#entry-2">corrects entry 2</a>' in html
    assert "&lt;b&gt;it&lt;/b&gt; is db-2" in html
    assert 'data-say="/undo' not in html


async def test_whoever_watches_is_sent_which_entry_was_taken_back(enter, declared, run, listen):
    key = await declared("Everything is slow")
    await run(key, m.AddNote(text="it is db-2"))
    ana = await enter()
    async with listen(ana, f"/incidents/{key}/events?after=2") as stream:
        await stream.next_of("change")
        await run(key, m.Undo(entry=2))
        message = await stream.next_of("change")
        assert 'id="entry-3" data-corrects="2"' in message.data


async def test_who_may_only_read_is_offered_no_undo(enter, declared, run):
    key = await declared("Everything is slow")
    await run(key, m.AddNote(text="it is db-2"))
    html = await (await enter("ana", Role.VIEWER)).see(f"/incidents/{key}")
    assert 'id="entry-2"' in html
    assert "/undo" not in html
