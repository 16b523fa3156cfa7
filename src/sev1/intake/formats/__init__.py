"""The formats that intake reads. A new one is a file here, a line below, fixtures and their test."""

from typing import Any

from sev1.intake.formats.alertmanager_v2 import AlertmanagerV2
from sev1.intake.formats.alertmanager_webhook import AlertmanagerWebhook
from sev1.intake.formats.azure_monitor import AzureMonitor
from sev1.intake.formats.cloudevents import CloudEvents
from sev1.intake.formats.datadog import Datadog
from sev1.intake.formats.format import Format
from sev1.intake.formats.google_cloud import GoogleCloud
from sev1.intake.formats.grafana import Grafana
from sev1.intake.formats.mail import Mails
from sev1.intake.formats.mapped import Mapped
from sev1.intake.formats.netdata import Netdata
from sev1.intake.formats.opsgenie import Opsgenie
from sev1.intake.formats.pagerduty import PagerDuty
from sev1.intake.formats.pagerduty_change import PagerDutyChange
from sev1.intake.formats.plain import Plain
from sev1.intake.formats.report import Reports
from sev1.intake.formats.sentry import Sentry
from sev1.intake.formats.sns import Sns
from sev1.intake.formats.watch import Watch

FORMATS: dict[str, Format[Any]] = {
    format_.name: format_
    for format_ in (
        AlertmanagerV2(),
        AlertmanagerWebhook(),
        Grafana(),
        PagerDuty(),
        PagerDutyChange(),
        Opsgenie(),
        Netdata(),
        Datadog(),
        Sns(),
        Sentry(),
        AzureMonitor(),
        GoogleCloud(),
        CloudEvents(),
        Plain(),
        Mapped(),
        Mails(),
        Reports(),
        Watch(),
    )
}
"""By name, which is also the kind of the keys that may send it."""
SENDERS: dict[str, Format[Any]] = {
    name: format_ for name, format_ in FORMATS.items() if format_.setup and not format_.also_keys
}
"""Those that keys are made for."""
