"""The console in a real browser, served as it is in real life."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import sessions
from tests.browser.serving import CHROMIUM, served
from tests.conftest import SQLITE_FILE


@pytest.fixture
def console(needs_chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, migrated_file: Path) -> Iterator[str]:
    """The address of a console with an empty ledger of its own, and one worker."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    (tmp_path / "var").mkdir()
    shutil.copy(migrated_file, tmp_path / "var" / SQLITE_FILE)
    with served(monkeypatch, tmp_path, port, ACTOR_MODULES="tests.processes.kinds", WORKER_THREADS="2") as address:
        yield address
    assert "Traceback" not in (tmp_path / "log").read_text()


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
