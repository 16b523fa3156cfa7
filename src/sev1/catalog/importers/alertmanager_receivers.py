"""Alertmanager's receivers as people and escalation policies. Pure. Nothing secret is copied.

A mail address becomes a person, a webhook a person who is reached by it. What talks to another product needs that
product's secret and is left. A receiver of which nothing is left still gets somebody, so that its alerts are not lost:
the address given to the import, or one that nobody reads, which the report says.
"""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct

from sev1.catalog.contact import EmailMethod, WebhookMethod
from sev1.catalog.importers.draft import Draft, slug, text
from sev1.catalog.model import EscalationPolicy, Person, PersonTarget, Step

UNREAD = "imported.invalid"
"""A domain that never exists (RFC 2606)."""
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w.-]{1,180}")
_SECRET_HOSTS = ("hooks.slack.com", "discord.com", "discordapp.com", "webhook.office.com", "chat.googleapis.com")
_TOKEN = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}")


class Receivers(Struct):
    """The receivers met so far."""

    draft: Draft
    contact: str | None
    """Who is paged where nothing of a receiver can be carried over."""
    people: dict[str, tuple[str, ...]] = {}
    """Receiver -> the people who stand for it; none where Alertmanager itself tells nobody."""
    policies: dict[tuple[str, ...], str] = {}
    addresses: dict[str, str] = {}

    def take(self, held: dict[str, Any]) -> None:
        """Makes the people of one receiver."""
        name = str(held["name"])
        source = f'receiver "{text(name, most=80)}"'
        people: list[str] = []
        several = 0
        for kind, configs in held.items():
            if kind.endswith("_configs") and isinstance(configs, list):
                for at, config in enumerate(configs):
                    several += 1
                    people += self._one(
                        kind, config if isinstance(config, dict) else {}, f"{source} {kind}[{at}]", name
                    )
        if several and not people:
            people = [self._nobody(name, source)]
        if not several:
            self.draft.changed(
                source,
                "It tells nobody. Alerts that go there are only shown.",
                "Nothing, if that is what it is for.",
                "tier fyi",
            )
        self.people[name] = tuple(dict.fromkeys(people))

    def policy(self, receivers: tuple[str, ...]) -> str | None:
        """The policy that pages everybody of these receivers at once; None when that is nobody."""
        people = tuple(dict.fromkeys(person for name in receivers for person in self.people[name]))
        if not people:
            return None
        if receivers not in self.policies:
            name = self.draft.name("escalation-policy", "-and-".join(receivers))
            value = EscalationPolicy(
                name=name,
                title=text(", ".join(receivers), "Imported"),
                steps=(Step(targets=tuple(PersonTarget(name=person) for person in people)),),
            )
            self.draft.add(value, " and ".join(f'receiver "{text(one, most=80)}"' for one in receivers))
            self.policies[receivers] = name
        return self.policies[receivers]

    def _one(self, kind: str, config: dict[str, Any], source: str, receiver: str) -> list[str]:
        if kind == "email_configs":
            return self._mail(config, source)
        if kind == "webhook_configs":
            return self._webhook(config, source, receiver)
        product = kind.removesuffix("_configs")
        env = f"SEV1_{slug(receiver, 'receiver').upper().replace('-', '_')}_{product.upper()}_SECRET"
        self.draft.left(
            source,
            f"It tells {product}, with a secret that is not copied.",
            f"Add the contact by hand and keep the secret in an environment variable, such as {env}.",
        )
        return []

    def _mail(self, config: dict[str, Any], source: str) -> list[str]:
        found = _ADDRESS.findall(str(config.get("to", "")))
        if not found:
            self.draft.left(source, "It names no mail address that can be read.", "Add the person by hand.")
        if config.keys() & {"auth_password", "auth_secret", "auth_username", "smarthost", "from"}:
            todo = "Set the mail server with SEV1_SMTP_URL and the other settings in docs/settings.md."
            self.draft.left(source, "Its own mail server and password are not copied.", todo)
        return [self.person(address, source) for address in found]

    def person(self, address: str, source: str) -> str:
        """The person with this address; the same one for the same address."""
        key = address.casefold()
        if key not in self.addresses:
            name = self.draft.name("person", address.partition("@")[0])
            value = Person(name=name, full_name=text(address), email=address, contact=(EmailMethod(address=address),))
            self.draft.add(value, source)
            self.addresses[key] = name
        return self.addresses[key]

    def _webhook(self, config: dict[str, Any], source: str, receiver: str) -> list[str]:
        env = f"SEV1_{slug(receiver, 'receiver').upper().replace('-', '_')}_WEBHOOK_SECRET"
        url, lost = without_secrets(str(config.get("url", "")))
        if url is None:
            self.draft.left(
                source,
                f"Its address is not copied: {lost}.",
                f"Add the webhook by hand; a signing secret goes into {env}.",
            )
            return []
        name = self.draft.name("person", receiver)
        value = Person(
            name=name,
            full_name=text(receiver, "Webhook"),
            email=f"{name}@{UNREAD}",
            contact=(WebhookMethod(url=url),),
        )
        self.draft.add(value, source)
        if lost:
            self.draft.changed(
                source, f"Of its address {lost} is not copied.", "Complete the address by hand.", f"person {name}"
            )
        if config.get("http_config"):
            todo = f"Let it check the signature: put a secret into {env} and write `secret_env: {env}`."
            self.draft.changed(source, "Its http_config (credentials, proxies) is not copied.", todo, f"person {name}")
        self.draft.changed(
            source,
            "A webhook is reached as a person with a mail address that nobody reads, and gets the body described in docs/notifications.md.",
            "Adapt what receives it, and give the person a real mail address if there is one.",
            f"person {name}",
        )
        return [name]

    def _nobody(self, name: str, source: str) -> str:
        if self.contact:
            person = self.person(self.contact, source)
            reason = f"Nothing of it could be carried over, so it pages {self.contact}."
            self.draft.changed(source, reason, "Name the right people in its policy.", f"person {person}")
            return person
        person = self.draft.name("person", f"receiver {name}")
        address = f"{person}@{UNREAD}"
        value = Person(
            name=person, full_name=text(name, "Receiver"), email=address, contact=(EmailMethod(address=address),)
        )
        self.draft.add(value, source, aside=True)
        reason = "Nothing of it could be carried over: its pages reach NOBODY yet."
        todo = f"Give person {person} a real address, or import with `--contact ADDRESS`."
        self.draft.changed(source, reason, todo, f"person {person}")
        return person


def is_address(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None


def without_secrets(url: str) -> tuple[str | None, str]:
    """(the address without what may be secret, what was taken away). None when the address as a whole is a secret."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None, "it cannot be read"
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", url):
        return None, "it is no http address, or stands in a file"
    if any(host == one or host.endswith(f".{one}") for one in _SECRET_HOSTS) or _TOKEN.search(parts.path):
        return None, "whoever knows it may write there"
    lost = [what for what, there in (("user and password", parts.username), ("the query", parts.query)) if there]
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path, "", "")), " and ".join(lost)
