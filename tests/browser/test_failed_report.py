"""The walk that the console is for, over a ledger of 100,000 tasks: what failed, why, and once more."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks import ledger as made
from models import Status, tables, transaction
from services import operators, tasks
from services.audit import acting_as
from tests.browser.serving import served
from tests.conftest import types_kept
from tests.processes import kinds
from tests.services import kit

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

MANY, EACH, ENDED = 100_000, 2_000, "finished_at IS NOT NULL"


def a_large_ledger() -> None:
    """A small one, and its past again and again: quicker than making each task."""
    made.make(EACH)
    columns = ", ".join(c.name for c in tables.tasks.columns if c.name != "id")
    copies = f"INSERT INTO tasks (id, {columns}) SELECT id + :by, {columns} FROM tasks WHERE id <= {EACH} AND {ENDED}"
    with transaction() as session:
        for n in range(1, 1 + -(-MANY // (EACH - kit.count(f"NOT ({ENDED})")))):
            session.execute(text(copies), {"by": n * EACH})
        newest = kit.scalar("SELECT max(id) FROM tasks")
        session.execute(text("UPDATE search_mark SET newest = :n, settled = :n"), {"n": newest})
    assert kit.count(ENDED) >= MANY


@pytest.fixture
def console(needs_chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A console over a large ledger, with a worker and a scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    scheduler, modules = [sys.executable, "scheduler.py"], "tests.processes.kinds"
    served_here = served(monkeypatch, tmp_path, port, scheduler, before=a_large_ledger, ACTOR_MODULES=modules)
    with types_kept(), served_here as running:
        yield running.address
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_failed_report_among_100_000_is_found_understood_mended_and_watched_to_its_end(browser_page, console):
    page = browser_page
    with acting_as(operators.by_name(operators.FIRST)):
        failed = kinds.report.with_options(title="Report for October").enqueue(pages=5, empty_page=2)
        kinds.report.with_options(title="Report for November").enqueue(pages=1)
    assert tasks.wait(failed.id, timeout=60).status is Status.failed
    page.goto(console)
    badge = page.locator('[data-testid="stSidebarNavLink"][href$="/inbox"]')
    expect(badge).to_have_attribute("data-unread", "2")

    page.get_by_role("link", name="Tasks").first.click()
    page.locator(".st-key-text input").fill("october")
    page.locator(".st-key-text input").press("Enter")
    expect(page.get_by_text("1 match. Tick rows to act on them.")).to_be_visible()
    grid = page.get_by_test_id("stDataFrame")
    expect(grid.locator("tr").nth(1)).to_contain_text("Report for October")
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 60, box["y"] + 48)  # its number
    expect(page).to_have_url(re.compile(rf"/task\?id={failed.id}$"))
    why = page.get_by_test_id("stAlert")
    expect(why).to_contain_text("page 2 of the report has no text")
    expect(badge).to_have_attribute("data-unread", "1")  # what one looks at is read

    page.locator(".st-key-task_again button").click()
    empty = page.get_by_label("Empty page", exact=True)
    expect(empty).to_have_value("2")
    empty.fill("0")
    empty.press("Tab")
    expect(page.get_by_text("pages=5")).to_be_visible()
    page.locator(".st-key-run_it button").click()
    page.wait_for_url(re.compile(r"/task\?"))
    expect(page).to_have_url(re.compile(r"/task\?id=\d+$"))
    again = int(page.url.rpartition("=")[2])
    expect(
        page.get_by_test_id("stToast").filter(has_text=f"Report for October #{again} has completed.")
    ).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("Completed", exact=True).first).to_be_visible()
    expect(badge).to_have_attribute("data-unread", "2")
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    task = tasks.get(again)
    assert (task.rerun_of, task.body.payload, task.result) == (failed.id, {"pages": 5, "empty_page": 0}, {"pages": 5})
