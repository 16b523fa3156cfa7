"""How a person, or a place that is told, can be reached. No secret is in here: what is secret is named by variable."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Url = Annotated[str, Meta(pattern=r"^https?://[^\s]+$(?!\n)", max_length=2000)]
EnvironmentName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$(?!\n)")]
PhoneNumber = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$(?!\n)")]
"""With the country's code, as in `+4930123456` (ITU-T E.164)."""

Urgency = Literal["high", "low"]
"""`high`: somebody has to act, now. `low`: everything that may wait until they look."""


class EmailMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="email"):
    address: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)", max_length=254)]


class WebhookMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="webhook"):
    url: Url
    secret_env: str | None = None
    """Name of the environment variable that holds the signing secret; the secret itself never enters the catalog."""


class NtfyMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="ntfy"):
    """A topic of ntfy.sh or of a server of one's own that speaks the same."""

    url: Url
    """Server and topic: `https://ntfy.example.com/ana-pages`."""
    token_env: EnvironmentName | None = None
    """Name of the environment variable that holds the access token."""


class PushMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="push"):
    """Web push to every browser in which the person switched it on, under Settings."""


class SmsMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="sms"):
    number: PhoneNumber


class VoiceMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="voice"):
    number: PhoneNumber


class AppriseMethod(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="apprise"):
    """Anything that the library Apprise can send to. It gives no receipt: handed over is all that is known."""

    url_env: EnvironmentName
    """Name of the environment variable that holds the Apprise URL, which mostly contains a secret."""


ContactMethod = EmailMethod | WebhookMethod | NtfyMethod | PushMethod | SmsMethod | VoiceMethod | AppriseMethod
