"""Mail as alerts: real subjects of Nagios, Monit and Zabbix, of people, and of those who mean harm."""

from pathlib import Path

import pytest
from tests.intake.conftest import one

from sev1.intake.formats import FORMATS
from sev1.intake.formats.format import Misunderstood
from sev1.intake.formats.mail import judge

MAILS = Path(__file__).parent / "fixtures" / "mail"


def mail(name: str) -> bytes:
    return (MAILS / f"{name}.eml").read_bytes()


@pytest.mark.parametrize(
    ("began", "ended"),
    [
        ("nagios-problem", "nagios-recovery"),
        ("monit-failed", "monit-succeeded"),
        ("zabbix-problem", "zabbix-resolved"),
    ],
)
def test_a_problem_and_its_recovery_are_the_same_alert(began: str, ended: str):
    first, last = one("mail", mail(began)), one("mail", mail(ended))
    assert (first.action, last.action) == ("firing", "resolved")
    assert first.fingerprint == last.fingerprint


def test_a_mail_of_nagios_says_what_how_bad_and_the_rest():
    event = one("mail", mail("nagios-problem"))
    assert event.summary == "** PROBLEM Service Alert: db-1/Disk Space is CRITICAL **"
    assert event.labels == {"alertname": "db-1/Disk Space", "sender": "nagios@mon.example", "severity": "critical"}
    assert "free space: / 812 MB" in event.annotations["details"]
    assert one("mail", mail("nagios-acknowledgement")).action == "acknowledged"


def test_html_becomes_text_and_attachments_are_left_out_and_said_so():
    event = one("mail", mail("person-html-attachment"))
    assert event.summary == "Kasse zeigt weiße Seite"
    assert event.annotations == {
        "details": 'Seit "heute" nichts.',
        "sev1_attachments": "1 attachment left out.",
    }


@pytest.mark.parametrize(
    ("subject", "about", "action"),
    [
        ("Disk full", "Disk full", "firing"),
        ("Re: AW: [ops] Re[2]: Disk full", "Disk full", "firing"),
        ("RESOLVED: Disk full", "Disk full", "resolved"),
        ("[RESOLVED] Disk full", "Disk full", "firing"),
        ("OK - Disk full", "Disk full", "resolved"),
        ("RECOVERY Disk full", "Disk full", "resolved"),
        ("Re: PROBLEM: Disk full", "Disk full", "firing"),
        ("OKAPI is down", "OKAPI is down", "firing"),
        ("Resolver broken", "Resolver broken", "firing"),
        ("** RECOVERY Host Alert: web-1 is UP **", "web-1", "resolved"),
    ],
)
def test_the_front_of_the_subject_says_whether_it_is_over(subject: str, about: str, action: str):
    verdict = judge(subject)
    assert (verdict.about, verdict.action) == (about, action)


def test_the_same_subject_of_another_sender_is_another_alert():
    a, b = (one("mail", f"From: {who}@x.example\nSubject: Disk full\n\n") for who in ("a", "b"))
    assert a.fingerprint != b.fingerprint


NESTED = b"Subject: x\n" + b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(500)
)
MANY = b'Subject: x\nContent-Type: multipart/mixed; boundary="b"\n\n' + b"--b\nContent-Type: text/plain\n\nx\n" * 5000


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "neither a subject nor a text"),
        (b"\n\n", "neither a subject nor a text"),
        (b"Subject: x\nX-Long: " + b"y" * 70_000 + b"\n\nbody", "headers are larger"),
        (NESTED, "more than 50 parts"),
        (MANY, "more than 50 parts"),
    ],
    ids=["empty", "blank", "giant headers", "nested bomb", "many parts"],
)
def test_hostile_and_empty_mail_is_not_understood(raw: bytes, why: str):
    with pytest.raises(Misunderstood, match=why):
        FORMATS["mail"].accept(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: a\0b\n\nc\0d",
        b"Subject: =?no-such-charset?B?/////w==?=\n\nx",
        b"Subject: x\nContent-Type: text/plain; charset=no-such\n\n\xff\xfe\xfd",
        b"Subject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!not base64!!!",
        b"Subject: x\nContent-Type: text/html\n\n" + b"<" * 100_000,
        b"Subject: \xff\xfe raw bytes\nFrom: \xff<\n\n",
        b"Subject: " + b"Re: " * 900 + b"x\n\n",
        b"Subject: x\n\n" + b"line\n" * 100_000,
    ],
)
def test_broken_mail_is_an_alert_all_the_same(raw: bytes):
    event = one("mail", raw)
    assert event.summary
    for text in (event.summary, *event.labels.values(), *event.annotations.values()):
        assert "\0" not in text
        assert len(text) <= 16_384
