"""The long tail through the real library, to a real HTTP server."""

import json
from uuid import uuid4

import pytest

from sev1.catalog.contact import AppriseMethod
from sev1.notify.apprise import AppriseChannel
from sev1.notify.channels import Outgoing, Permanent, Temporary
from sev1.notify.model import Notice

from .real_receivers import Receiver

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:apprise")  # its own imports


async def send(url: str, notice: Notice) -> str:
    channel = AppriseChannel(environ={"PAGER_URL": url} if url else {})
    method = AppriseMethod(url_env="PAGER_URL")
    return await channel.send(Outgoing(method=method, notice=notice, person="ana", delivery_id=uuid4(), repeat=False))


async def test_a_page_goes_out_and_no_receipt_is_claimed(receiver: Receiver, page: Notice):
    receipt = await send(receiver.url.replace("http://", "json://"), page)
    assert receipt == "handed to JSON by Apprise, which gives no receipt"
    said = json.loads(receiver.requests[-1][1])
    assert said["title"] == "[SEV-1?] checkout: Card payments fail: 42 % errors"
    assert said["message"].endswith("http://sev1.example/pages/P-1")


async def test_a_service_that_does_not_take_it_is_temporary(receiver: Receiver, page: Notice):
    receiver.status = 500
    with pytest.raises(Temporary, match="Apprise could not hand it to JSON"):
        await send(receiver.url.replace("http://", "json://"), page)


async def test_a_url_that_apprise_does_not_know_is_permanent_and_not_repeated_in_the_error(page: Notice):
    with pytest.raises(Permanent, match="does not understand its URL") as refused:
        await send("nosuchservice://secret-token/x", page)
    assert "secret-token" not in str(refused.value)


async def test_a_missing_variable_is_said_by_name(page: Notice):
    with pytest.raises(Permanent, match="PAGER_URL that holds the Apprise URL is not set"):
        await send("", page)
