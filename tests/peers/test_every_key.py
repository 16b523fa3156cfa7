from tests.live.server import LiveServer

from sev1.intake.formats import SENDERS


def test_a_key_of_every_kind_is_printed_as_the_address_to_paste(sev1: LiveServer) -> None:
    for kind, sender in SENDERS.items():
        printed = sev1.run("key", "create", kind)
        assert printed.strip().startswith(f"{sev1.url}/integrations/")
        assert f"/{sender.paths[0]}" in printed
