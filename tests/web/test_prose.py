"""Text that people wrote is shown as text: safe, with its references linked."""

import pytest

from sev1.surfaces.web.prose import markdown, plain_line, prose


def test_references_and_addresses_become_links() -> None:
    html = prose("As in INC-7, P-12 woke us for A-3: https://graphs.example/d/1?a=b&c. Done.")
    assert '<a href="/incidents/INC-7">INC-7</a>' in html
    assert '<a href="/pages/P-12">P-12</a>' in html
    assert '<a href="/alerts/3">A-3</a>' in html
    assert '<a href="https://graphs.example/d/1?a=b&amp;c" rel="noreferrer noopener">' in html
    assert html.endswith(" Done.")


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", 'https://x.example/"onclick="alert(1)']
)
def test_nothing_that_somebody_types_becomes_markup(text: str) -> None:
    html = prose(text)
    assert "<script" not in html
    assert "<img" not in html
    assert 'onclick="' not in html.replace("&#34;", "")


@pytest.mark.parametrize("word", ["VIP-7", "SHA-256", "INC-", "javascript:alert(1)", "A-1234567890123456789012"])
def test_what_only_looks_like_a_reference_is_left_alone(word: str) -> None:
    assert "<a" not in prose(word)


def test_a_runbook_has_boxes_cues_and_no_second_first_heading() -> None:
    html = markdown(
        "# Title\n\n- [ ] Try `this`\n- [x] Done\n\n🛑 STOP: not that.\n\n✅ VERIFY: it works.\n", without_title=True
    )
    assert "Title" not in html
    assert html.count('<li class="box">') == 2
    assert "to do: " in html
    assert '<p class="cue cue-stop">🛑 <strong>STOP</strong> not that.</p>' in html
    assert '<p class="cue cue-verify">✅ <strong>VERIFY</strong> it works.</p>' in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "![x](https://tracker.example/p.gif)",
        '<a href="https://x.example" onclick="alert(1)">x</a>',
        "<style>body{display:none}</style>",
    ],
)
def test_markdown_lets_no_script_picture_or_style_through(text: str) -> None:
    html = markdown(text)
    for wrong in ("<script", 'href="javascript:', "<img", "<style"):
        assert wrong not in html.replace("&lt;", "")
    assert "onclick=" not in html or "&lt;a" in html


def test_headings_are_lowered_below_that_of_the_page() -> None:
    assert "<h2>One</h2>" in markdown("# One\n\n## Two")
    assert "<h3>Two</h3>" in markdown("# One\n\n## Two")


def test_one_line_of_markdown_stays_one_line() -> None:
    assert plain_line("Roll back: `deploy rollback` <b>now</b>") == (
        "Roll back: <code>deploy rollback</code> &lt;b&gt;now&lt;/b&gt;"
    )


@pytest.mark.parametrize(
    ("item", "html"),
    [
        ("- if one region only -> drain it", '<li class="branch"><strong>One region only?</strong> → drain it</li>'),
        ("- else → call platform", '<li class="branch"><strong>Else</strong> → call platform</li>'),
        ("- If in doubt, ask", "<li>If in doubt, ask</li>"),
        ("- if <script> -> x", '<li class="branch"><strong>&lt;script&gt;?</strong> → x</li>'),
    ],
)
def test_items_with_if_and_an_arrow_become_questions_with_answers(item: str, html: str) -> None:
    assert html in markdown(item)
