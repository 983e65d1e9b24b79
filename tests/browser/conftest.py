"""The console in a real browser, served as it is in real life."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import sessions
from tests.browser.serving import CHROMIUM, Served, served
from tests.conftest import SQLITE_FILE


@pytest.fixture(scope="module")
def installation(needs_chromium, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Served]:
    """A console and a worker for the tests of a file."""
    folder = tmp_path_factory.mktemp("console")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    (folder / "var").mkdir()
    shutil.copy(migrated_file, folder / "var" / SQLITE_FILE)
    options = {"ACTOR_MODULES": "tests.processes.kinds", "WORKER_THREADS": "2"}
    with pytest.MonkeyPatch.context() as patch, served(patch, folder, port, **options) as running:
        yield running


@pytest.fixture
def console(installation: Served) -> Iterator[str]:
    """The address of a console whose ledger is empty, beside a worker with nothing to do."""
    installation.anew()
    yield installation.address
    assert "Traceback" not in installation.log.read_text()


@pytest.fixture(scope="module")
def needs_chromium() -> None:
    """Tests with a browser are skipped where there is none, unless they are required."""
    if CHROMIUM is None and os.environ.get("BROWSER_TESTS") != "required":
        pytest.skip("no Chromium is installed here (Debian and Ubuntu: apt-get install chromium)")


@pytest.fixture(scope="module")
def chromium(needs_chromium) -> Iterator:
    """One browser for the tests of a file; each has its own profile in it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(console: str, chromium) -> Iterator:
    """A signed-in page. Whatever asks for another host, or breaks in the browser, fails the test."""
    strange: list[str] = []
    context = chromium.new_context(timezone_id="Europe/London", locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("request", lambda r: None if _ours(r.url, console) else strange.append(r.url))
    page.on("pageerror", lambda e: strange.append(str(e)))
    page.goto(f"{console}/sign-in?link={sessions.link()}")
    page.get_by_role("heading", name="Overview").wait_for()
    yield page
    context.close()
    assert strange == []


def _ours(url: str, console: str) -> bool:
    return url.startswith((console, console.replace("http", "ws", 1), "data:", "blob:"))
