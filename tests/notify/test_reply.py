"""What an answer by text message means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sev1.notify.reply import Reply, read_reply


@pytest.mark.parametrize(
    ("text", "wish", "page"),
    [
        ("ACK 4", "acknowledge", "P-4"),
        (" ack  p-4. ", "acknowledge", "P-4"),
        ("4", "acknowledge", "P-4"),
        ("p 004", "acknowledge", "P-4"),
        ("Yes", "acknowledge", None),
        ("esc 4", "escalate", "P-4"),
        ("No", "escalate", None),
        ("resolve 4!", "resolve", "P-4"),
    ],
)
def test_it_is_understood(text: str, wish: str, page: str | None) -> None:
    reply = read_reply(text)
    assert reply is not None
    assert (reply.wish, reply.page, reply.all) == (wish, page, False)


def test_all_is_only_for_taking() -> None:
    assert read_reply("ack all") == Reply(wish="acknowledge", all=True)
    assert read_reply("resolve all") is None


@pytest.mark.parametrize("text", ["", "   ", "STOP", "ack 4 please", "not 4", "4 5", "ack -4", "🚨", "a" * 10_000])
def test_anything_else_changes_nothing(text: str) -> None:
    assert read_reply(text) is None


@given(st.text(max_size=300))
def test_no_text_is_an_error(text: str) -> None:
    read_reply(text)
