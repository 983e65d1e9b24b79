"""How the console's process is started."""

import tomllib
from collections.abc import Iterator

import pytest
from streamlit import config

from runtime import web
from settings import ROOT, settings

OPTIONS = [
    (f"{section}.{name}", value)
    for section, options in tomllib.loads((ROOT / ".streamlit/config.toml").read_text()).items()
    if section != "theme"
    for name, value in options.items()
    if not isinstance(value, dict)
]


@pytest.fixture(autouse=True)
def fresh_settings() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(("option", "value"), OPTIONS)
def test_streamlit_knows_and_takes_every_option_of_its_configuration(option, value, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert config.get_config_options(force_reparse=True)[option].value == value


def test_the_console_is_hardened():
    assert {name: dict(OPTIONS).get(name) for name in HARDENED} == HARDENED


HARDENED = {
    "server.allowedHosts": ["127.0.0.1", "localhost", "::1"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.enableAgentApi": False,
    "client.allowedOrigins": [],
    "client.showErrorDetails": "none",
    "browser.gatherUsageStats": False,
    "runner.magicEnabled": False,
}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8600"),
        ("0.0.0.0", "http://127.0.0.1:8600"),
        ("::1", "http://[::1]:8600"),
        ("board.example.org", "http://board.example.org:8600"),
    ],
)
def test_the_address_is_one_that_a_browser_here_can_open(monkeypatch, host, url):
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "8600")
    settings.cache_clear()
    assert web.url() == url
    assert web.argv()[-4:] == ["--server.address", host, "--server.port", "8600"]
