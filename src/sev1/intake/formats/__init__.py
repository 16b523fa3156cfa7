"""The formats that intake reads. A new one is a file here, a line below, fixtures and their test."""

from typing import Any

from sev1.intake.formats.alertmanager_v2 import AlertmanagerV2
from sev1.intake.formats.alertmanager_webhook import AlertmanagerWebhook
from sev1.intake.formats.format import Format
from sev1.intake.formats.mail import Mails
from sev1.intake.formats.mapped import Mapped
from sev1.intake.formats.pagerduty import PagerDuty
from sev1.intake.formats.plain import Plain
from sev1.intake.formats.report import Reports
from sev1.intake.formats.watch import Watch

FORMATS: dict[str, Format[Any]] = {
    format_.name: format_
    for format_ in (
        AlertmanagerV2(),
        AlertmanagerWebhook(),
        PagerDuty(),
        Plain(),
        Mapped(),
        Mails(),
        Reports(),
        Watch(),
    )
}
"""By name, which is also the kind of the keys that may send it."""
