"""How the console's process is started."""

import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest
from streamlit import config

from models import Role
from runtime import web
from runtime.program import NotStarted
from services import operators
from settings import ROOT, settings
from tests.conftest import forget, use

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
    "server.allowedHosts": [],  # the gate's are asked first, see tests/console/test_gate.py
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


@pytest.fixture
def listening(ledger, monkeypatch):
    """Sets the address that the console is to listen on."""

    def on(host: str) -> None:
        monkeypatch.setenv("HOST", host)
        settings.cache_clear()

    return on


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_a_console_of_this_machine_alone_needs_no_password(listening, host):
    listening(host)
    web.check_doors()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "board.example.org", "localhost.example.org"])
def test_a_console_for_other_machines_is_refused_until_somebody_has_a_password(listening, host):
    listening(host)
    operators.create("by-link", Role.admin)
    gone = operators.create("gone", Role.member, "correct horse battery")
    operators.disable(gone.id)
    with pytest.raises(
        NotStarted, match=rf"HOST={re.escape(host)} opens .* no active operator has a password\. .*HOST=127"
    ):
        web.check_doors()
    operators.create("ada", Role.admin, "correct horse battery")
    web.check_doors()


def test_a_server_on_every_address_is_refused_whatever_the_setting_says(ledger):
    with pytest.raises(NotStarted, match="no active operator has a password"):
        web.check_doors("")


def test_a_console_for_other_machines_is_refused_while_nobody_can_say_who_has_a_password(tmp_path, monkeypatch):
    use(monkeypatch, tmp_path / "var", None, HOST="0.0.0.0")
    with pytest.raises(NotStarted, match="make migrate"):
        web.check_doors()
    forget()


@pytest.mark.parametrize(
    "command",
    [["-m", "runtime.web"], ["-m", "runtime.start"],
     ["-m", "streamlit", "run", "console/asgi.py", "--server.address", "0.0.0.0", "--server.port", "0"]],
)  # fmt: skip
def test_no_way_of_starting_it_opens_a_door_without_a_lock(tmp_path, monkeypatch, command, migrated_file):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    use(monkeypatch, tmp_path / "var", None, HOST="0.0.0.0", PORT=port)
    shutil.copy(migrated_file, tmp_path / "var" / migrated_file.name)
    command = [port if word == "0" else word for word in command]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode != 0
    assert "no active operator has a password" in done.stdout + done.stderr
    forget()
