"""The console in a real browser, served as it is in real life."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services import sessions
from tests.browser.serving import CHROMIUM, Served
from tests.conftest import SQLITE_FILE, forget

PATIENCE_MS = 60_000  # for any one thing: a console, a worker and a browser share two cores with other tests
WHOLE_TEST_S = 600
SEEN = pytest.StashKey[dict[str, Any]]()
RUNNING = pytest.StashKey[Served]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What one wait may take, a whole test must be allowed to take a few times."""
    for item in items:
        if _is_here(item):
            item.add_marker(pytest.mark.timeout(WHOLE_TEST_S))


def _is_here(item: pytest.Item) -> bool:
    return Path(__file__).parent in item.path.parents


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After the last of these tests nothing of theirs goes on beside the others."""
    yield
    running = item.session.stash.get(RUNNING, None)
    if running is not None and (nextitem is None or not _is_here(nextitem)):
        running.stop()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Beside a failure stands what the page showed then, and what it had complained of."""
    outcome: Any = yield
    report, seen = outcome.get_result(), item.stash.get(SEEN, None)
    if report.failed and call.when == "call" and seen is not None:
        report.sections.append(("page", looks(seen["page"])))
        report.sections.append(("what the browser said", "\n".join(seen["said"][-20:]) or "nothing"))


def looks(page: Any) -> str:
    """Where it is, and its words."""
    try:
        words = page.evaluate("document.body.innerText")
        return f"{page.url}\n{page.title()}\n{words[:4000]}"
    except Exception as gone:
        return f"It cannot be asked: {gone}"


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, needs_chromium, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[Served]:
    """A console and a worker for all tests with a browser in this process; `anew` starts them."""
    folder = tmp_path_factory.mktemp("console")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    (folder / "var").mkdir()
    shutil.copy(migrated_file, folder / "var" / SQLITE_FILE)
    running = Served(folder, {"PORT": port, "ACTOR_MODULES": "tests.processes.kinds", "WORKER_THREADS": "2"})
    running.log.touch()
    request.session.stash[RUNNING] = running
    yield running
    running.stop()


@pytest.fixture
def console(installation: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a console whose ledger is empty, beside a worker with nothing to do."""
    installation.enter(monkeypatch)
    said = installation.log.stat().st_size
    installation.anew()
    yield installation.address
    forget()
    with installation.log.open("rb") as log:
        log.seek(said)
        assert b"Traceback" not in log.read()


@pytest.fixture(scope="session")
def needs_chromium() -> None:
    """Tests with a browser are skipped where there is none, unless they are required."""
    if CHROMIUM is None and os.environ.get("BROWSER_TESTS") != "required":
        pytest.skip("no Chromium is installed here (Debian and Ubuntu: apt-get install chromium)")


@pytest.fixture(scope="module")
def chromium(needs_chromium) -> Iterator:
    """One browser for the tests of a file; each has its own profile in it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def browser_page(request: pytest.FixtureRequest, console: str, chromium) -> Iterator:
    """A blank page of a signed-in browser. Whatever asks for another host, or breaks in it, fails the test."""
    strange: list[str] = []
    said: list[str] = []
    context = chromium.new_context(timezone_id="Europe/London", locale="en-GB", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", lambda r: None if _ours(r.url, console) else strange.append(r.url))
    page.on("pageerror", lambda e: (strange.append(str(e)), said.append(str(e))))
    page.on("console", lambda m: said.append(f"{m.type}: {m.text}"))
    assert context.request.get(f"{console}/sign-in?link={sessions.link()}").ok
    request.node.stash[SEEN] = {"page": page, "said": said}
    yield page
    context.close()
    assert strange == []


def _ours(url: str, console: str) -> bool:
    return url.startswith((console, console.replace("http", "ws", 1), "data:", "blob:"))
