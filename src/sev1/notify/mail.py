"""A notice as a mail: readable in five seconds on a phone, in plain text and in simple HTML without remote content."""

from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from uuid import UUID

from jinja2 import Environment, PackageLoader, select_autoescape

from sev1.catalog.runbook import RunbookStep
from sev1.notify.model import WAITED_FOR, Notice, one_line
from sev1.notify.wording import headline

MOST_STEPS = 3
MOST_BRANCHES = 4
"""What a mail shows of a runbook; the page has all of it."""

_templates = Environment(
    loader=PackageLoader("sev1.notify"),
    autoescape=select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)

ACTION = {
    "page": "Open it to acknowledge",
    "ask": "Open it to answer",
    "page-resolved": "What happened",
    "announcement": "Open it",
    "task": "Open the incident",
    "all-clear": "The record",
    "fix-failed": "Open the page",
    "fix-helped": "Resolve it there",
    "test": "Say that it arrived",
}
"""What the link is called. It opens a page with a button and never acts by itself: mail scanners follow links."""


def compose(
    notice: Notice, *, sender: str, recipient: str, delivery_id: UUID, repeat: bool, now: datetime
) -> EmailMessage:
    """The mail. Raises ValueError when `sender` or `recipient` is no mail address.

    All attempts of one delivery have one Message-ID, so that a mailbox may drop the second; all mails about one page
    or incident refer to one (made-up) message, so that they form a thread.
    """
    from_ = _sender(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = from_
    message["To"] = _address(recipient)
    message["Subject"] = headline(notice, repeat=repeat)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{delivery_id}@{from_.domain}>"
    thread = f"<{one_line(notice.about).replace(' ', '-')}.thread@{from_.domain}>"
    message["References"] = thread
    message["In-Reply-To"] = thread
    message["Auto-Submitted"] = "auto-generated"
    message["X-Sev1-Delivery"] = str(delivery_id)
    if repeat:
        message["X-Sev1-Repeat"] = "yes"
    if notice.kind in WAITED_FOR:
        message["Importance"] = "high"
    values = {
        "notice": notice,
        "repeat": repeat,
        "level": (notice.severity or "").upper(),
        "since": notice.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if notice.since else "",
        "action": "See what waits for you" if notice.others else ACTION[notice.kind],
        "then": then_of(notice),
    }
    message.set_content(_templates.get_template("mail.txt").render(values))
    message.add_alternative(_templates.get_template("mail.html").render(values), subtype="html")
    return message


def then_of(notice: Notice) -> list[RunbookStep]:
    """The steps after what to try first, few and with few branches: a mail is read at three in the morning."""
    steps = [RunbookStep(text=s.text, branches=s.branches[:MOST_BRANCHES]) for s in notice.steps]
    left = [step for step in steps if step.text != notice.first or step.branches]
    return left[:MOST_STEPS]


def _sender(text: str) -> Address:
    """`sev1@example.com` or `sev1 <sev1@example.com>`."""
    name, spec = parseaddr(text)
    return _address(spec or text, name)


def _address(spec: str, name: str = "") -> Address:
    """One address, its domain in ASCII (IDNA). A local part outside ASCII needs SMTPUTF8, which few servers have."""
    local, _, domain = spec.rpartition("@")
    try:
        plain = f"{local}@{domain.encode('idna').decode('ascii')}"
        address = Address(display_name=name, addr_spec=plain)
    except (ValueError, IndexError, MessageError) as error:  # the standard library's parser runs off malformed ends
        raise ValueError(f"{spec!r} is not a mail address that can be used") from error
    if not address.username or not address.domain or address.addr_spec != plain:
        raise ValueError(f"{spec!r} is not a mail address that can be used")
    return address
