"""`python -m tests.browser.screenshots [FOLDER]`: every page, wide and narrow, light and dark, full and empty.

The ledger is made up for it; `--docs` also renews the two pictures of the README in `docs/`. Needs Chromium.
"""

import argparse
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models import Operator, Role, Status, transaction
from services import operators, search, sessions
from services.search import TaskFilter
from settings import ROOT
from tests.browser.serving import CHROMIUM, served
from tests.support import wait_until

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}
SETTLED = """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""
DRAWN = """() => [...document.querySelectorAll('[data-testid=stMetricChart]')]
    .every((chart) => chart.querySelector('canvas, svg'))"""
EMPTY = ("overview", "tasks", "run", "schedules", "inbox", "errors", "workers", "audit", "settings")
LARGEST = 300_000  # bytes of a picture in docs/


def main() -> int:
    """0, or 1 with a sentence on standard error."""
    given = argparse.ArgumentParser(prog="python -m tests.browser.screenshots")
    given.add_argument("folder", type=Path, nargs="?", default=ROOT / "var" / "screenshots")
    given.add_argument("--docs", action="store_true", help="also renew the pictures in docs/")
    given.add_argument("--only", default="", help="pages whose name begins so; several, set off by commas")
    options = given.parse_args()
    if CHROMIUM is None:
        print("No Chromium is installed here (Debian and Ubuntu: apt-get install chromium).", file=sys.stderr)
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="callboard-") as scratch:
        with _console(patch, Path(scratch) / "empty") as address:
            admin = operators.create("ines", Role.admin)
            _take(address, admin, {f"{n}-empty": _path(n) for n in EMPTY}, options.folder, options.only)
        with _console(patch, Path(scratch) / "full", before=_yesterday) as address:
            operator, pages = _filled()
            _take(address, operator, pages, options.folder, options.only)
            _break()
            _take(address, operator, {f"{n}-broken": _path(n) for n in EMPTY}, options.folder, options.only)
    if options.docs:
        _renew_docs(options.folder)
    return 0


@contextmanager
def _console(patch: pytest.MonkeyPatch, folder: Path, before: Callable[[], None] = lambda: None) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    folder.mkdir()
    modules = "actors,tests.browser.believable_kinds"
    scheduler = [sys.executable, "scheduler.py"]
    options = {"ACTOR_MODULES": modules, "WORKER_THREADS": "4"}
    with served(patch, folder, port, scheduler, before=before, **options) as running:
        yield running.address


def _yesterday() -> None:
    """Tell the ledger of a day."""
    from tests.browser import believable, believable_schedules

    people = believable.people()
    believable.history(people)
    believable_schedules.history(people)
    believable.sum_up()


def _break() -> None:
    """The database no longer answers what is asked about tasks."""
    with transaction() as session:
        session.execute(text("ALTER TABLE tasks RENAME TO moved"))


def _filled() -> tuple[Operator, dict[str, str]]:
    """Let there be something to see now, too; returns who looks, and where."""
    from tests.browser import believable

    people = {one.name: one for one in operators.list_operators()}
    analysed, _, report = believable.sample(people["ines"])
    believable.present(people)
    wait_until(lambda: search.count(TaskFilter(status=Status.running)).n >= 4, timeout=30, what="work that runs")
    (running, *_) = search.ids(TaskFilter(status=Status.running, type="score_leads"))
    wait_until(lambda: (search.by_ids([running])[0].progress_percent or 0) > 2, timeout=60, what="some progress")
    (failed, *_) = search.ids(TaskFilter(status=Status.failed, error="ConnectionError"))
    family = max(search.ids(TaskFilter(type="send_digest", status=Status.pending)))
    (cancelled, *_) = search.ids(TaskFilter(status=Status.cancelled))
    (queued, *_) = search.ids(TaskFilter(status=Status.queued, type="import_mailbox"))
    pages = {name: _path(name) for name in EMPTY}
    pages |= {
        "task-running": f"/task?id={running}", "task-log": f"/task?id={running}&tab=Log",
        "task-failed": f"/task?id={failed}", "task-result": f"/task?id={analysed.id}",
        "task-files": f"/task?id={report.id}&tab=Files", "task-attempts": f"/task?id={failed}&tab=Attempts",
        "task-arguments": f"/task?id={analysed.id}&tab=Arguments",
        "task-related": f"/task?id={family}&tab=Related", "task-history": f"/task?id={family}&tab=History",
        "task-cancelled": f"/task?id={cancelled}", "task-queued": f"/task?id={queued}",
        "task-missing": "/task?id=999999", "run-form": "/run?run_type=simulation_batch",
        "schedule": "/schedule?id=1", "schedule-definition": "/schedule?id=5&schedule_tab=Definition",
        "schedules-coming": "/schedules?schedules_view=Coming+up",
        "schedules-fired": "/schedules?schedules_view=What+fired",
        "run-again": f"/run?again={analysed.id}", "inbox-dismissed": "/inbox?dismissed=true",
        "settings-operators": "/settings?settings_tab=Operators", "settings-ledger": "/settings?settings_tab=Ledger",
        "tasks-failed": "/tasks?status=Failed", "tasks-none": "/tasks?text=nothing-like-it",
    }  # fmt: skip
    return people["ines"], pages


def _path(name: str) -> str:
    return "/" if name == "overview" else f"/{name}"


def _take(address: str, operator: Operator, pages: dict[str, str], folder: Path, only: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=theme, locale="en-GB",
                    timezone_id="Europe/London", reduced_motion="reduce",
                )  # fmt: skip
                page = context.new_page()
                page.goto(f"{address}/sign-in?link={sessions.link(operator.id)}")
                page.get_by_role("heading").first.wait_for()
                for name, path in pages.items():
                    if name.startswith(tuple(only.split(","))):
                        _one(page, f"{address}{path}", folder / f"{name}-{size}-{theme}.png")
                context.close()
        browser.close()


def _one(page: Any, url: str, file: Path) -> None:
    page.goto(url)
    page.get_by_test_id("stMainBlockContainer").locator("h1, [data-testid=stAlert]").first.wait_for()
    page.wait_for_function(SETTLED)
    page.wait_for_load_state("networkidle")
    page.wait_for_function(DRAWN)
    page.screenshot(path=str(file))
    print(file)


def _renew_docs(folder: Path) -> None:
    from PIL import Image

    docs = ROOT / "docs"
    docs.mkdir(exist_ok=True)
    for name, shown in {"overview": "overview-wide-light", "task": "task-running-wide-dark"}.items():
        picture = Image.open(folder / f"{shown}.png").convert("RGB").quantize(256, dither=Image.Dither.NONE)
        picture.save(docs / f"{name}.png", optimize=True)
        if (size := (docs / f"{name}.png").stat().st_size) > LARGEST:
            raise SystemExit(f"docs/{name}.png has {size:,} bytes, more than {LARGEST:,}")


if __name__ == "__main__":
    sys.exit(main())
