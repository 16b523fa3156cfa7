from pathlib import Path

import pytest

from sev1.engine.errors import Invalid
from sev1.engine.settings import read_settings


def test_the_environment_sets_and_the_command_line_wins():
    settings = read_settings({"SEV1_PORT": "9000", "SEV1_DATA": "/srv/sev1", "SEV1_HOST": "::1"}, port=9001, host=None)
    assert (settings.port, settings.data, settings.host) == (9001, Path("/srv/sev1"), "::1")


def test_an_empty_variable_is_no_value():
    assert read_settings({"SEV1_PORT": ""}).port == 8080


@pytest.mark.parametrize("wrong", ["many", "70000", "-1"])
def test_a_wrong_value_names_the_variable(wrong: str):
    with pytest.raises(Invalid, match="SEV1_PORT"):
        read_settings({"SEV1_PORT": wrong})


def test_links_use_the_public_address():
    assert read_settings({"SEV1_PUBLIC_URL": "https://sev1.example.org/"}).url == "https://sev1.example.org"
    assert read_settings({"SEV1_PORT": "81"}).url == "http://127.0.0.1:81"
