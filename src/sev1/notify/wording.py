"""A notice in few words, for what has little room: a phone's notification, a text message, a voice."""

from sev1.notify.model import Notice, one_line

LINE_MAX = 150
"""Characters of the first line; phones show about 40."""


def headline(notice: Notice, *, repeat: bool) -> str:
    """`[SEV-1?] checkout: Card payments fail`: the question mark says that nobody has confirmed it.

    An announcement's title already says which incident it is about and what happened.
    """
    place = f"{notice.service}: " if notice.service else ""
    match notice.kind:
        case "page" if notice.others:
            line = place
        case "page":
            line = f"[{notice.severity.upper()}?] {place}" if notice.severity else f"[Page] {place}"
        case "page-resolved":
            line = f"[Resolved] {place}"
        case "fix-failed":
            line = f"[Still firing] {place}"
        case "fix-helped":
            line = f"[Quiet] {place}"
        case "ask":
            line = f"[Please answer] {notice.about}: "
        case "test":
            line = "[Test] "
        case _:
            line = ""
    marks = ("Drill: " if notice.drill else "") + ("Repeat: " if repeat else "")
    return one_line(f"{marks}{line}{notice.title}", LINE_MAX)


def in_short(notice: Notice, limit: int) -> str:
    """What one has to know before one opens it, in lines, at most `limit` characters in all."""
    lines = [
        notice.body,
        f"Impact: {notice.impact}" if notice.impact else "",
        f"Try first: {notice.first}" if notice.first else "",
        notice.why,
    ]
    text = "\n".join(line for line in lines if line)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def spoken(notice: Notice) -> str:
    """As a voice reads it, in a few seconds: what it is, how bad, where."""
    if notice.others:
        return one_line(f"{notice.title}.", 300)
    severity = f"SEV {notice.severity[-1]} suggested. " if notice.severity else ""
    drill = "This is a drill. " if notice.drill else ""
    place = f"{notice.service}: " if notice.service else ""
    return one_line(f"{drill}{severity}{place}{notice.title}.", 300)
