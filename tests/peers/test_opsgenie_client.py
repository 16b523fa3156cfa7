"""opsgenie-sdk, Opsgenie's own client for Python, with nothing changed but its host."""

from urllib.parse import urlsplit

import httpx
import opsgenie_sdk
import pytest
from tests.live.server import LiveServer
from tests.live.waiting import until


@pytest.fixture
def sdk(sev1: LiveServer) -> opsgenie_sdk.AlertApi:
    secret = urlsplit(sev1.key("opsgenie", "--service", "checkout")).path.split("/")[2]
    configuration = opsgenie_sdk.Configuration()
    configuration.api_key["Authorization"] = secret
    configuration.host = sev1.url
    return opsgenie_sdk.AlertApi(opsgenie_sdk.ApiClient(configuration))


def test_opsgenies_client_creates_reads_acknowledges_notes_and_closes(
    sdk: opsgenie_sdk.AlertApi, api: httpx.Client
) -> None:
    made = sdk.create_alert(
        create_alert_payload=opsgenie_sdk.CreateAlertPayload(
            message="Refunds are not paid out", alias="billing/refunds", priority="P1", tags=["billing"]
        )
    )
    assert made.result == "Request will be processed"

    def alert() -> opsgenie_sdk.Alert | None:
        try:
            return sdk.get_alert(identifier="billing/refunds", identifier_type="alias").data
        except opsgenie_sdk.ApiException as error:
            if error.status != 404:
                raise
            return None

    until(lambda: alert() is not None, "the alert")
    status = sdk.get_request_status(request_id=made.request_id).data
    assert (status.is_success, status.alias) == (True, "billing/refunds")
    found = sdk.get_alert(identifier=status.alert_id, identifier_type="id").data
    assert (found.message, found.priority, found.status) == ("Refunds are not paid out", "P1", "open")
    sdk.acknowledge_alert(identifier=status.alert_id, acknowledge_alert_payload=opsgenie_sdk.AcknowledgeAlertPayload())
    until(lambda: alert().acknowledged, "the acknowledgement")
    sdk.add_note(identifier=status.alert_id, add_note_to_alert_payload=opsgenie_sdk.AddNoteToAlertPayload(note="Mine"))
    sdk.close_alert(
        identifier="billing/refunds", identifier_type="alias", close_alert_payload=opsgenie_sdk.CloseAlertPayload()
    )
    until(lambda: alert().status == "closed", "the end")
    number = int(found.tiny_id)
    history = api.get(f"/api/v1/alerts/{number}/transitions").raise_for_status().json()
    assert [line["reason"] for line in history if line["what"] == "noted"] == ["Mine"]


def test_opsgenies_client_is_told_what_is_wrong(sdk: opsgenie_sdk.AlertApi) -> None:
    with pytest.raises(opsgenie_sdk.exceptions.ConfigurationException, match="may not be empty"):
        sdk.create_alert(create_alert_payload=opsgenie_sdk.CreateAlertPayload(message=" "))
