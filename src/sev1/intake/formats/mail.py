"""A mail as an event: the subject is the summary, the text the details. Documented for users in docs/intake.md.

What ends an alert is a word at the front of the subject, or Nagios's `** RECOVERY … **`, or Zabbix's `Resolved in …:`.
Without that word the two subjects of one problem must be alike, so words of state, times and counts are left out of the
key. Read with the parser's old policy: the newer one raises on many a broken header that is met in the wild.
"""

import email
import email.header
import email.utils
import html
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from email.policy import compat32
from hashlib import blake2b
from typing import ClassVar

import msgspec
from msgspec import Struct

from sev1.intake.formats.format import Accepted, Answer, Format
from sev1.intake.formats.limits import SUMMARY_MAX, cut, one_line
from sev1.intake.formats.reading import clean
from sev1.intake.model import Action, InboundEvent

BODY_MAX = 16_000
HEADERS_MAX_BYTES = 64 * 1024
PARTS_MAX = 50
SUBJECT_READ_MAX = 4_000

_REPLY = re.compile(r"^\s*(?:(?:re|aw|sv|fwd?|wg|antw)\s*(?:\[\d+\])?\s*:|\[[^\]\n]{1,40}\])\s*", re.IGNORECASE)
_NAGIOS = re.compile(
    r"^\*\*\s*(?P<kind>[A-Z]+)\s+(?:Host|Service)\s+Alert:\s*(?P<what>.*?)\s+is\s+(?P<state>[A-Z]+)\s*\*\*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"^(?P<word>resolved|recovery|recovered|ok|up|problem\s+resolved|closed)\b(?:\s+in\s+[\dywdhms .]+)?\s*[:\-–|\]]*\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_BEGAN = re.compile(
    r"^(?P<word>problem|alert|firing|critical|warning|down|triggered|started|error)\s*[:\-–|\]]+\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_MONIT = re.compile(r"^monit alert\s+--\s+(?P<what>.*)$", re.IGNORECASE)
_ACKNOWLEDGED = frozenset({"ACKNOWLEDGEMENT"})
_NAGIOS_OVER = frozenset({"RECOVERY", "FLAPPINGSTOP", "DOWNTIMEEND"})
_NAGIOS_SEVERITY = {
    "CRITICAL": "critical",
    "DOWN": "critical",
    "UNREACHABLE": "critical",
    "WARNING": "warning",
    "UNKNOWN": "warning",
}
_TAG = re.compile(r"<(?:script|style)\b.*?(?:</(?:script|style)>|$)|<[^>]*>?", re.IGNORECASE | re.DOTALL)
_SPACE = re.compile(r"[ \t\r\f\v]+")


class Verdict(Struct, frozen=True):
    """What a subject says: what it is about (the key), and whether it began or ended."""

    about: str
    action: Action
    severity: str | None = None


class Mail(Struct, frozen=True, kw_only=True):
    subject: str
    sender: str
    body: str
    attachments: int
    verdict: Verdict


class Mails(Format[Mail]):
    name: ClassVar[str] = "mail"
    title: ClassVar[str] = "mail"
    paths: ClassVar[tuple[str, ...]] = ()
    setup: ClassVar[str] = "In place of HOST, whatever leads mail here. It listens where SEV1_MAIL_IN_PORT says."

    def address(self, url: str, key: str) -> str:  # noqa: ARG002 - a mailbox, whatever this server is called
        return f"{key}@HOST"

    def decode(self, raw: bytes) -> Mail:
        try:
            return _read(raw)
        except ValueError as error:
            raise self.misunderstood(str(error)) from error
        except Exception as error:  # Python's parser raises nearly anything for a hostile mail
            raise self.misunderstood("This is no mail that can be read.") from error

    def accepted(self, decoded: Mail, raw: bytes) -> Accepted:
        body = msgspec.json.encode({"accepted": 1, "keys": [_key(decoded)]})
        return Accepted(raw=raw, events=1, answer=Answer(status=202, body=body))

    def events(self, decoded: Mail, received_at: datetime) -> Iterator[InboundEvent]:
        labels = {"alertname": cut(decoded.verdict.about, 200), "sender": cut(decoded.sender, 200)}
        if decoded.verdict.severity:
            labels["severity"] = decoded.verdict.severity
        annotations = {"details": decoded.body} if decoded.body else {}
        if decoded.attachments:
            count = decoded.attachments
            annotations["sev1_attachments"] = f"{count} attachment{'s' if count > 1 else ''} left out."
        yield InboundEvent(
            action=decoded.verdict.action,
            fingerprint=_key(decoded),
            source=self.name,
            summary=one_line(decoded.subject) or "A mail without a subject",
            labels={name: value for name, value in labels.items() if value},
            annotations=annotations,
            starts_at=received_at,
        )


def judge(subject: str) -> Verdict:
    """What the subject says, by the conventions of Nagios, Monit, Zabbix and of people."""
    bare = _bare(subject)
    if found := _NAGIOS.match(bare):
        kind, state = found["kind"].upper(), found["state"].upper()
        over = kind in _NAGIOS_OVER or state in {"OK", "UP"}
        action: Action = "resolved" if over else "acknowledged" if kind in _ACKNOWLEDGED else "firing"
        return Verdict(found["what"], action, None if over else _NAGIOS_SEVERITY.get(state))
    if found := _MONIT.match(bare):
        # Monit's subject is `monit alert --  Connection failed nginx`: the event, then the service, or the reverse.
        words = found["what"].split()
        over = any(word.lower() in {"succeeded", "recovered", "exists", "passed", "changed-back"} for word in words)
        return Verdict(f"monit {words[-1] if words else ''}".strip(), "resolved" if over else "firing")
    if found := _OVER.match(bare):
        return Verdict(_stateless(found["what"]), "resolved")
    if found := _BEGAN.match(bare):
        word = found["word"].lower()
        severity = {"critical": "critical", "down": "critical", "warning": "warning"}.get(word)
        return Verdict(_stateless(found["what"]), "firing", severity)
    return Verdict(_stateless(bare), "firing")


def _bare(subject: str) -> str:
    """Without `Re:`, `Fwd:` and list tags in front, however many."""
    for _ in range(20):
        shorter = _REPLY.sub("", subject, count=1)
        if shorter == subject:
            break
        subject = shorter
    return subject.strip()


def _stateless(text: str) -> str:
    return text.strip()[:SUMMARY_MAX]


def _key(mail: Mail) -> str:
    return blake2b(f"{mail.sender}\0{mail.verdict.about.casefold()}".encode(), digest_size=8).hexdigest()


def _read(raw: bytes) -> Mail:
    """Raises ValueError with a sentence."""
    head = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    if len(head) > HEADERS_MAX_BYTES:
        raise ValueError(f"The mail's headers are larger than {HEADERS_MAX_BYTES // 1024} kB.")
    if raw.count(b"boundary=") + raw.lower().count(b"message/rfc822") > PARTS_MAX:
        raise ValueError(f"The mail is nested in more than {PARTS_MAX} parts.")
    try:
        message = email.message_from_bytes(raw, policy=compat32)
    except RecursionError as error:
        raise ValueError("The mail is nested too deeply to be read.") from error
    body, attachments = _text(message)
    subject = _header(message, "Subject")
    if not subject and not (subject := one_line(body)):
        raise ValueError("The mail has neither a subject nor a text.")
    sender = email.utils.parseaddr(_header(message, "From"))[1].casefold()
    return Mail(subject=subject, sender=sender, body=body, attachments=attachments, verdict=judge(subject))


def _header(message: Message, name: str) -> str:
    """The header as text, whatever its charset claims to be."""
    raw = message.get(name)
    if raw is None:
        return ""
    text = ""
    try:
        for part, charset in email.header.decode_header(str(raw)[:SUBJECT_READ_MAX]):
            text += _decoded(part, charset) if isinstance(part, bytes) else part
    except Exception:  # noqa: BLE001 - a header that is broken in itself is shown as it is
        text = str(raw)[:SUBJECT_READ_MAX]
    return _SPACE.sub(" ", clean(text).replace("\n", " ")).strip()


def _decoded(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _text(message: Message) -> tuple[str, int]:
    """The text for people, cut to size, and how many attachments were left out. Plain text is preferred to HTML."""
    plain, marked, attachments, parts = "", "", 0, 0
    waiting = [message]
    while waiting:
        part = waiting.pop(0)
        parts += 1
        if parts > PARTS_MAX:
            raise ValueError(f"The mail has more than {PARTS_MAX} parts.")
        inside = part.get_payload()
        if isinstance(inside, list):
            if part.get_content_type() == "message/rfc822":
                attachments += 1
            else:
                waiting += [inner for inner in inside if isinstance(inner, Message)]
            continue
        kind = part.get_content_type()
        if part.get_filename() or "attachment" in str(part.get("Content-Disposition", "")).lower():
            attachments += 1
        elif kind == "text/plain" and not plain:
            plain = _payload(part)
        elif kind == "text/html" and not marked:
            marked = html.unescape(_TAG.sub(" ", _payload(part)[: 8 * BODY_MAX]))
        elif not kind.startswith("text/"):
            attachments += 1
    text = clean(plain or marked)
    lines = [_SPACE.sub(" ", line).strip() for line in text.split("\n")]
    return cut(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), BODY_MAX), attachments


def _payload(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return _decoded(raw, part.get_content_charset()) if isinstance(raw, bytes) else str(raw)
