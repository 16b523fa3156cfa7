"""How a notice reads as a mail."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from uuid import UUID

import pytest
from msgspec.structs import replace

from sev1.catalog.model import Link
from sev1.notify.mail import compose
from sev1.notify.model import Notice
from sev1.notify.wording import LINE_MAX, headline

ID = UUID("0190d8a2-5b7c-7c3e-8f00-000000000001")


def mail(notice: Notice, *, repeat: bool = False, sender: str = "sev1@sev1.example") -> EmailMessage:
    """As the receiver reads it: composed, put on the wire, parsed."""
    message = compose(
        notice,
        sender=sender,
        recipient="ana@example.com",
        delivery_id=ID,
        repeat=repeat,
        now=datetime(2026, 3, 2, 3, 14, tzinfo=UTC),
    )
    return message_from_bytes(message.as_bytes(), policy=policy.default)


def text(message: EmailMessage, kind: str = "plain") -> str:
    body = message.get_body((kind,))
    assert body is not None
    return body.get_content()


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_a_page_answers_the_first_questions_in_order(page: Notice):
    lines = [line for line in text(mail(page)).splitlines() if line]
    assert lines == [
        "Card payments fail: 42 % errors",
        "checkout · SEV-1 suggested · since 2026-03-02 03:12 UTC",
        "Open it to acknowledge: http://sev1.example/pages/P-1",
        "Impact: customers cannot pay",
        "Verify:",
        "- Checkout dashboard: https://grafana.example/d/checkout",
        "Try first: Deploy at 03:05? Roll back.",
        "When stuck, call: Payments on-call, then DBA on-call",
        "Why you: you are on call for Payments until Monday 09:00",
        "P-1, sent by sev1. Answers to this mail are not read: use the link.",
    ]


def test_html_says_what_the_text_says(page: Notice):
    html = text(mail(page), "html")
    for part in ("Card payments fail", "customers cannot pay", "Roll back", "Payments on-call", "03:12 UTC", page.url):
        assert part in html


def test_a_notice_with_little_in_it_has_no_empty_headings():
    short = Notice(kind="page", about="P-1", title="Disk full", url="http://sev1.example/pages/P-1")
    assert [line for line in text(mail(short)).splitlines() if line][:2] == [
        "Disk full",
        "Open it to acknowledge: http://sev1.example/pages/P-1",
    ]
    assert "Impact" not in text(mail(short), "html")


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({}, "[SEV-1?] checkout: Card payments fail: 42 % errors"),
        ({"severity": None, "service": None}, "[Page] Card payments fail: 42 % errors"),
        ({"drill": True}, "Drill: [SEV-1?] checkout: Card payments fail: 42 % errors"),
        ({"kind": "page-resolved"}, "[Resolved] checkout: Card payments fail: 42 % errors"),
        (
            {"kind": "announcement", "title": "INC-1 SEV-1 declared: Card payments fail"},
            "INC-1 SEV-1 declared: Card payments fail",
        ),
        (
            {"kind": "all-clear", "title": "All clear: INC-1 SEV-1 Card payments fail"},
            "All clear: INC-1 SEV-1 Card payments fail",
        ),
        ({"kind": "ask", "about": "INC-1"}, "[Please answer] INC-1: Card payments fail: 42 % errors"),
    ],
)
def test_the_subject_says_what_it_is(page: Notice, changes: dict, subject: str):
    assert mail(replace(page, **changes))["Subject"] == subject


def test_a_repeat_says_so_in_subject_header_and_body(page: Notice):
    message = mail(page, repeat=True)
    assert message["Subject"].startswith("Repeat: [SEV-1?]")
    assert message["X-Sev1-Repeat"] == "yes"
    assert "This is a repeat" in text(message)
    assert "This is a repeat" in text(message, "html")


def test_all_attempts_of_a_delivery_have_one_message_id_and_all_mails_of_a_page_one_thread(page: Notice):
    first, repeat = mail(page), mail(page, repeat=True)
    assert first["Message-ID"] == repeat["Message-ID"] == f"<{ID}@sev1.example>"
    resolved = mail(replace(page, kind="page-resolved"))
    assert first["References"] == resolved["References"] == "<P-1.thread@sev1.example>"
    assert mail(replace(page, about="P-2"))["References"] != first["References"]


def test_a_mail_says_that_a_program_sent_it(page: Notice):
    message = mail(page)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Sev1-Delivery"] == str(ID)
    assert message["Date"] == "Mon, 02 Mar 2026 03:14:00 +0000"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\u2029", "\x00"])
def test_a_title_with_newline_cannot_add_headers(page: Notice, line_end: str):
    evil = f"Disk full{line_end}Bcc: everybody@example.com{line_end}{line_end}<script>"
    message = mail(replace(page, title=evil, service=f"x{line_end}Bcc: a@b.c", about=f"P-1{line_end}Bcc: a@b.c"))
    assert message["Bcc"] is None
    assert set(message.keys()) == {*mail(page).keys()}
    assert "Disk full Bcc: everybody@example.com" in message["Subject"]
    assert message["To"] == "ana@example.com"


@pytest.mark.parametrize("title", ["支払いが失敗 " * 60, "Zahlung fällt aus 🛑👩‍💻 " * 30, "x" * 2000])
def test_long_titles_in_any_script_are_cut_in_the_subject_and_whole_in_the_body(page: Notice, title: str):
    message = mail(replace(page, title=title.strip()))
    assert len(message["Subject"]) <= LINE_MAX
    assert title.strip()[:40] in message["Subject"]
    assert title.strip() in text(message)
    assert all(len(line) <= 998 for line in message.as_bytes().splitlines())


def test_markup_in_a_notice_is_text_in_the_mail(page: Notice):
    evil = '<img src="https://evil.example/x.png"><script>alert(1)</script>"\' onload='
    notice = replace(
        page, title=evil, impact=evil, first=evil, stuck=(evil,), why=evil, body=evil, service=evil,
        verify=(Link(title=evil, url='https://a.example/"><script>'),),
    )  # fmt: skip
    tags = Tags(text(mail(notice), "html")).found
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert {name for _, attrs in tags for name in attrs if name.startswith("on")} == set()


def test_html_loads_nothing_from_anywhere(page: Notice):
    tags = Tags(text(mail(page), "html")).found
    assert not {"img", "link", "script", "iframe", "style", "video"} & {tag for tag, _ in tags}
    assert all("src" not in attrs and "background" not in attrs for _, attrs in tags)
    assert all("url(" not in (attrs.get("style") or "") for _, attrs in tags)


def test_the_sender_may_have_a_name(page: Notice):
    assert mail(page, sender="sev1 Störung <sev1@sev1.example>")["From"] == "sev1 Störung <sev1@sev1.example>"


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@", "@b", "a b@c.example", "a@b\r\nBcc: c@d.example", "a@b, c@d", "ü@b.example", "a@b..c"],
)
def test_what_is_no_mail_address_is_refused(page: Notice, address: str):
    with pytest.raises(ValueError, match="mail address"):
        compose(
            page, sender="a@b.c", recipient=address, delivery_id=ID, repeat=False, now=datetime(2026, 3, 2, tzinfo=UTC)
        )


def test_a_domain_outside_ascii_goes_out_in_its_ascii_form(page: Notice):
    message = compose(
        page,
        sender="a@b.c",
        recipient="ana@bücher.example",
        delivery_id=ID,
        repeat=False,
        now=datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert message["To"] == "ana@xn--bcher-kva.example"


def test_headline_is_one_line_whatever_comes_in(page: Notice):
    assert "\n" not in headline(replace(page, title="a\n\n b"), repeat=False)
