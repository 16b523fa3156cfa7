import asyncio

from sev1.engine.database import Database
from sev1.engine.news import News


async def test_a_listener_hears_its_topic_its_kind_and_nothing_else():
    news = News()
    with news.listen("page/P-1") as one, news.listen("page/*") as kind, news.listen("incident/*") as other:
        news.tell("page/P-1")
        assert (one.is_set(), kind.is_set(), other.is_set()) == (True, True, False)


async def test_a_listener_that_left_is_forgotten():
    news = News()
    with news.listen("page/P-1", "page/*"):
        pass
    assert news._events == {}


async def test_news_reach_the_other_node(db: Database):
    here, there = News(), News()
    tasks = [asyncio.create_task(news.exchange(db)) for news in (here, there)]
    try:
        with there.listen("incident/INC-1") as heard:
            async with asyncio.timeout(10):
                while not heard.is_set():  # the other side may still be connecting
                    here.tell("incident/INC-1")
                    await asyncio.wait({asyncio.create_task(heard.wait())}, timeout=0.1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
