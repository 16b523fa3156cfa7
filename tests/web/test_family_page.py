"""The family of an incident on its page: what is under it, what it is under, and how it ends."""

from sev1.command import model as m
from sev1.surfaces.web.incident_page import read_mark


async def test_a_page_shows_what_is_under_it_and_what_it_is_under(enter, declared):
    key = await declared("Everything is slow")
    ana = await enter()
    assert 'id="work-family" data-part hidden' in await ana.see(f"/incidents/{key}")
    await ana.send(f"/incidents/{key}/lines", line="/child Refunds <b>are</b> late @bo sev 3")
    await ana.send("/incidents/INC-2/lines", line="/can 300 refunds wait | replaying | a DBA")
    html = await ana.see(f"/incidents/{key}")
    for words in (
        "1 open, worst SEV-3",
        'href="/incidents/INC-2"',
        "Bo Lindqvist commands",
        "300 refunds wait",
        "N1 a DBA",
    ):
        assert words in html
    assert "<b>are</b>" not in html
    child = await ana.see("/incidents/INC-2")
    assert "Part of" in child
    assert "raise N1" in child
    await ana.send("/incidents/INC-2/lines", line="/raise N1")
    assert "raise N1" not in await ana.see("/incidents/INC-2")
    assert "N1 a DBA (raised)" in await ana.see(f"/incidents/{key}")


async def test_the_page_of_a_parent_is_another_one_when_a_grandchild_changed(node, declared, run):
    key = await declared("Everything is slow")
    await run(key, m.AddNote(text="one"))
    second, third = await declared("Refunds are late", parent=key), await declared("Mails are late", parent="INC-2")
    assert (second, third) == ("INC-2", "INC-3")
    async with node.db.connection() as conn:
        before = await read_mark(conn, key)
    await run("INC-3", m.AddNote(text="two"))
    async with node.db.connection() as conn:
        assert await read_mark(conn, key) != before


async def test_a_parent_with_an_open_child_asks_why_instead_of_offering_to_resolve(enter, declared, run):
    key = await declared("Everything is slow")
    await declared("Refunds are late", parent=key)
    await run(key, *(m.ConfirmCriterion(criterion=criterion) for criterion in m.CRITERIA))
    html = await (await enter()).see(f"/incidents/{key}")
    assert "INC-2 under this is still open" in html
    assert "Resolve the incident" not in html
