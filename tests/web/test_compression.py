"""Pages and answers go out compressed; what is so already, or has to arrive part by part, goes out as it is."""

from collections.abc import Awaitable, Callable
from typing import Any

Do = Callable[..., Awaitable[Any]]


async def test_a_page_goes_out_compressed_to_whoever_takes_that(enter: Do, declared: Do) -> None:
    ana, key = await enter(), await declared()
    answer = await ana.http.get(f"/incidents/{key}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert int(answer.headers["content-length"]) < len(answer.content) / 3
    plain = await ana.http.get(f"/incidents/{key}", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers


async def test_a_file_that_is_compressed_already_is_not_compressed_again(enter: Do) -> None:
    ana = await enter()
    answer = await ana.http.get("/static/sev1.css", headers={"Accept-Encoding": "gzip"})
    assert answer.headers.get_list("content-encoding") == ["gzip"]
    assert answer.text.startswith("/*") or "@layer" in answer.text


async def test_a_stream_goes_out_message_by_message_as_it_is(
    enter: Do, declared: Do, listen: Callable[..., Any]
) -> None:
    ana, key = await enter(), await declared()
    async with listen(ana, f"/incidents/{key}/events?after=0", accept_encoding="gzip") as stream:
        message = await stream.next_of("change")
        assert 'id="picture-board"' in message.data
