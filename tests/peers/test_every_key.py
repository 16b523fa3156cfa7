import re

from tests.live.server import LiveServer

from sev1.intake.senders import KINDS, address_of


def test_a_key_of_every_kind_is_printed_as_the_address_to_paste(sev1: LiveServer) -> None:
    for kind in KINDS:
        printed = sev1.run("key", "create", kind).splitlines()[0]
        (secret,) = re.findall(r"\b\w{32}\b", printed)
        assert printed == address_of(kind, sev1.url, secret)
