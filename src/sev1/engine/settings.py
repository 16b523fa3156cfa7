"""Settings: environment variables `SEV1_*`, read once at start. Every one is described in docs/settings.md."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from sev1.engine.errors import Invalid

PREFIX = "SEV1_"


class Settings(Struct, frozen=True, kw_only=True):
    """One field is one variable: `smtp_host` is `SEV1_SMTP_HOST`. Names end with their unit."""

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    database_url: str = ""
    """Empty: run the embedded PostgreSQL in `data`."""
    public_url: str = ""
    """How people reach this server, used in links; empty: http://host:port."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses of proxies, by commas, whose X-Forwarded-For says who is asking."""
    log_level: str = "info"

    smtp_host: str = ""
    """Empty: no mail is sent; pages fail over to the next contact method and say so."""
    smtp_port: Annotated[int, Meta(ge=1, le=65535)] = 25
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_tls: str = "auto"
    """`auto` upgrades when the server offers STARTTLS, `starttls` insists on it, `tls` from the first byte, `none` never."""
    mail_from: str = "sev1@localhost"

    webhook_secret: str = ""
    """Signs outgoing webhooks whose contact method names no secret of its own."""
    twilio_account: str = ""
    """Account SID of Twilio, or of whoever speaks its API. Empty: no text messages and no calls."""
    twilio_token: str = ""
    """Signs in there, and proves that a reply came from there."""
    twilio_from: str = ""
    """The number that messages and calls come from, as in +4930123456."""
    twilio_url: str = "https://api.twilio.com"

    allow_private_targets: bool = False
    """Lets outgoing webhooks reach loopback and private addresses."""

    intake_max_bytes: Annotated[int, Meta(ge=1024)] = 2 * 1024 * 1024
    intake_rate_per_s: Annotated[int, Meta(ge=1)] = 20_000
    """Per integration key; a runaway guard, not a quota."""
    intake_queue_max: Annotated[int, Meta(ge=100)] = 20_000
    """Requests that may wait for their commit; beyond it the sender is asked to retry (503)."""
    mail_in_port: Annotated[int, Meta(ge=0, le=65535)] = 0
    """Where mail is taken (SMTP); 0: nowhere."""
    mail_in_host: str = "127.0.0.1"
    payload_days: Annotated[int, Meta(ge=1)] = 30
    """How long raw payloads are kept."""
    evidence_max_bytes: Annotated[int, Meta(ge=1024, le=256 * 1024 * 1024)] = 25 * 1024 * 1024
    """The largest piece of evidence."""
    evidence_days: Annotated[int, Meta(ge=1, le=36_500)] = 365
    """How long the content of evidence is kept when nobody says otherwise; a legal hold beats it."""
    break_glass_max_min: Annotated[int, Meta(ge=1, le=1440)] = 480
    """For how many minutes somebody may break the glass at most."""

    lease_s: Annotated[int, Meta(ge=1)] = 30
    """How long a worker may hold a timer or a delivery before another may take it over."""

    heartbeat_url: str = ""
    """Called while this node is well; whoever is behind it alarms when the calls stop. Empty: nobody is called."""
    heartbeat_every_s: Annotated[int, Meta(ge=10, le=86_400)] = 60

    @property
    def url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(environ: Mapping[str, str] | None = None, **given: object) -> Settings:
    """Settings from the environment; `given` (command-line options) wins. Raises Invalid naming the variable."""
    environ = os.environ if environ is None else environ
    known = {f.name for f in msgspec.structs.fields(Settings)}
    values: dict[str, object] = {
        name: environ[key] for name in known if environ.get(key := PREFIX + name.upper(), "") != ""
    }
    values |= {k: v for k, v in given.items() if v is not None}
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        sentence = str(error)
        for name in known:
            sentence = sentence.replace(f"`$.{name}`", PREFIX + name.upper())
        raise Invalid(f"A setting is wrong: {sentence}. See docs/settings.md.") from error


def _decode(type_: type, value: object) -> object:
    if type_ is Path:
        return Path(str(value))
    raise NotImplementedError(type_)
