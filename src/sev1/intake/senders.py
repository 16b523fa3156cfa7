"""Whoever a key can be made for: the senders of every format, and jobs that send heartbeats."""

from sev1.intake.formats import SENDERS

HEARTBEAT = "heartbeat"
KINDS = (*SENDERS, HEARTBEAT)
"""The kinds of keys, by the name of what they may send."""


def title_of(kind: str) -> str:
    return "Heartbeats" if kind == HEARTBEAT else SENDERS[kind].title


def address_of(kind: str, url: str, key: str) -> str:
    """Where a sender with this key sends to; `url` is this server's."""
    return f"{url}/heartbeat/{key}/HEARTBEAT" if kind == HEARTBEAT else SENDERS[kind].address(url, key)


def how_to(kind: str, url: str, key: str) -> str:
    """What to paste at the sender, for whoever made the key."""
    if kind == HEARTBEAT:
        return "In place of HEARTBEAT, the name of a `kind: heartbeat` of the catalog: curl -fsS URL at the end of the job."
    return SENDERS[kind].how_to(url, key)


def signs(kind: str) -> bool:
    """Whether a key of this kind may hold the secret with which its sender signs."""
    return kind != HEARTBEAT and SENDERS[kind].signs
