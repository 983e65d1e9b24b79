"""Acting on many, in a real browser."""

import re
from datetime import timedelta

import pytest

from models import now
from services import tasks
from tests.processes import kinds
from tests.services.kit import count, events

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


def test_three_hundred_are_cancelled_after_a_dry_run_and_brought_back(browser_page, console):
    page = browser_page
    later = now() + timedelta(hours=1)
    kinds.echo.with_options(run_at=later, tags=["import"]).enqueue_many([{}] * 300)
    done = kinds.echo.enqueue()
    tasks.wait(done.id, 60)
    page.goto(f"{console}/tasks?type=echo")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.locator(".st-key-tasks_all button").click()
    page.get_by_text("Cancel…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("300 pending will be cancelled")).to_be_visible()
    expect(dialog.get_by_text("1 finished is left alone")).to_be_visible()
    assert count("status = 'cancelled'") == 0
    late = kinds.echo.with_options(run_at=later).enqueue()

    dialog.get_by_label("Reason").fill("wrong import")
    page.locator(".st-key-confirm_yes button").dblclick()
    expect(dialog.get_by_text("300 pending were cancelled")).to_be_visible()
    assert (count("status = 'cancelled'"), tasks.get(late.id).status.value) == (300, "pending")
    assert len([e for e in events("cancel") if e.entity == "task"]) == 300
    (whole,) = [e for e in events("cancel") if e.entity == "bulk"]
    assert (whole.reason, whole.after["cancelled"]) == ("wrong import", 300)

    page.locator(".st-key-bulk_undo button").click()
    expect(dialog.get_by_text("300 cancelled will run again")).to_be_visible()
    page.locator(".st-key-confirm_yes button").click()
    expect(dialog.get_by_text(re.compile("300 cancelled are back in line"))).to_be_visible()
    assert count("status = 'cancelled'") == 0
