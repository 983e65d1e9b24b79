"""The console in a real browser, served as it is in real life."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import migrate
from runtime import ready
from services import sessions
from settings import ROOT
from tests.conftest import forget, use
from tests.support import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a console with an empty ledger of its own, and one worker."""
    if CHROMIUM is None and os.environ.get("BROWSER_TESTS") != "required":
        pytest.skip("no Chromium is installed here (Debian and Ubuntu: apt-get install chromium)")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    use(
        monkeypatch,
        tmp_path / "var",
        None,
        PORT=port,
        ACTOR_MODULES="tests.processes.kinds",
        WORKER_THREADS="2",
    )
    migrate.upgrade()
    from runtime import web

    log = (tmp_path / "log").open("wb")
    commands = [web.argv(), [sys.executable, "-m", "runtime.worker_process"]]
    running = [subprocess.Popen(c, cwd=ROOT, stdout=log, stderr=log, start_new_session=True) for c in commands]
    try:
        wait_until(ready.console_answers, timeout=60, what="the console's start")
        wait_until(lambda: ready.beats("worker"), timeout=60, what="the worker's start")
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()
        forget()
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.fixture
def browser_page(console: str) -> Iterator:
    """A signed-in page. Whatever asks for another host, or breaks in the browser, fails the test."""
    from playwright.sync_api import sync_playwright

    strange: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(timezone_id="Europe/London", locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("request", lambda r: None if _ours(r.url, console) else strange.append(r.url))
        page.on("pageerror", lambda e: strange.append(str(e)))
        page.goto(f"{console}/sign-in?link={sessions.link()}")
        page.get_by_role("heading", name="Overview").wait_for()
        yield page
        browser.close()
    assert strange == []


def _ours(url: str, console: str) -> bool:
    return url.startswith((console, console.replace("http", "ws", 1), "data:", "blob:"))
