"""Recurring work in a real browser: made in the drawer, fired by itself, run by hand, switched off, edited."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from models import Cause, now
from services import schedules
from settings import ROOT
from tests.browser.screenshots import SETTLED
from tests.support import wait_until

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


@pytest.fixture
def scheduler(console: str) -> Iterator[None]:
    """A real scheduler beside the console."""
    process = subprocess.Popen([sys.executable, "scheduler.py"], cwd=ROOT, start_new_session=True)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(20)


def field(page, name: str):
    """A field of the drawer."""
    return page.get_by_role("dialog").get_by_role("textbox", name=name, exact=True)


def typed(page, name: str, text: str) -> None:
    """What a person types there."""
    field(page, name).fill(text)
    field(page, name).press("Tab")


def choose(page, label: str, option: str) -> None:
    """One of a list that is too long to look through."""
    box = page.get_by_role("dialog").get_by_role("combobox", name=re.compile(label))
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).click()


def saved(page) -> None:
    """Save, and see the drawer gone."""
    page.wait_for_function(SETTLED)
    page.get_by_role("dialog").locator(".st-key-schedule_save button").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_schedule_made_here_fires_by_itself_beside_a_manual_run_is_switched_off_and_edited(
    browser_page, console, scheduler
):
    page = browser_page
    page.goto(f"{console}/schedules")
    page.locator(".st-key-schedule_first button").click()
    typed(page, "Name", "Every few seconds")
    choose(page, "Task type", "echo")
    typed(page, "Text", "for {{ slot }}, " + "many words, " * 50 + "the end")
    typed(page, "Cron expression", "*/75 * * * * *")
    refused = page.get_by_role("dialog").get_by_text("is no second; steps are less than 60")
    expect(refused.first).to_be_visible()
    typed(page, "Cron expression", "*/4 * * * * *")
    expect(page.get_by_role("dialog").get_by_text("Every 4 seconds (Europe/London)")).to_be_visible()
    expect(page.get_by_role("dialog").locator(".cb-preview td")).to_have_count(10)
    saved(page)

    expect(page).to_have_url(re.compile(r"/schedule\?id=1$"))
    expect(page.get_by_role("heading", name="Every few seconds")).to_be_visible()
    expect(page.locator(".cb-figure [data-until]")).to_have_text(re.compile(r"^(in \d s|due now)$"))
    history = page.locator(".cb-fires")
    expect(history.get_by_text("automatic").first).to_be_visible()
    expect(history.get_by_text("Completed").first).to_be_visible()
    output = history.get_by_text(re.compile(r'"text": ?"for 20\d\d-'))
    expect(output.first).to_be_visible()

    schedules.update(1, overlap="allow")  # else a run by the clock that is under way would be in its way
    page.locator(".st-key-schedule_run_now button:visible").click()
    expect(page.get_by_test_id("stToast").filter(has_text="is accepted")).to_be_visible()
    expect(history.get_by_text("manual").first).to_be_visible()
    style = "getComputedStyle(document.querySelector('.cb-figures')).display"
    assert page.evaluate(style) == "grid"  # what a toast of a callback would undo
    causes = {view.cause for view in schedules.history(1)}
    assert causes == {Cause.automatic, Cause.manual}

    page.locator(".st-key-schedule_switch_off button:visible").click()
    page.get_by_role("dialog").get_by_role("textbox", name="Reason").fill("Enough for today")
    page.locator(".st-key-ask_yes button").click()
    expect(page.get_by_text("no fire to come")).to_be_visible()
    expect(page.get_by_text(re.compile("Off since .*Enough for today"))).to_be_visible()
    row = schedules.get(1)
    assert (row.enabled, row.next_at, row.disabled_reason) == (False, None, "Enough for today")

    left = history.locator("details").first
    left.locator("summary").click()
    expect(left.locator("pre")).not_to_contain_text("the end")
    left.get_by_text("All of it").click()
    expect(left.locator("pre")).to_contain_text("the end")
    expect(page).to_have_url(re.compile(r"/schedule\?id=1"))

    page.locator(".st-key-schedule_switch_on button:visible").click()
    page.locator(".st-key-ask_yes button").click()
    wait_until(lambda: schedules.get(1).next_at is not None, what="the next fire")
    page.locator(".st-key-schedule_edit button:visible").click()
    expect(field(page, "Cron expression")).to_have_value("*/4 * * * * *")
    typed(page, "Cron expression", "0 6 1 1 *")
    expect(page.get_by_role("dialog").get_by_text(re.compile("1 January|01 January|January"))).to_be_visible()
    saved(page)
    expect(page.locator(".cb-figure [data-until]")).to_have_text(re.compile(r"^in \d+ d"))
    row = schedules.get(1)
    assert row.next_at is not None
    assert (row.next_at.month, row.next_at.day) == (1, 1)
    assert row.next_at > now()


def test_the_list_leads_to_a_schedule_in_place_counts_down_and_finds_what_is_typed(browser_page, console):
    page = browser_page
    for name in ("Mailboxes", "Thumbnails"):
        schedules.create(name, "echo", cron="*/10 * * * *")
    page.goto(f"{console}/schedules")
    until = page.locator("[data-until]").first
    expect(until).to_have_text(re.compile(r"^in \d"))
    before = until.text_content()
    page.wait_for_function("before => document.querySelector('[data-until]').textContent !== before", arg=before)
    page.get_by_role("textbox", name="Find").or_(page.get_by_role("searchbox", name="Find")).first.fill("thumb")
    expect(page.locator("a.callboard-schedule")).to_have_text(["Thumbnails"])
    expect(page).to_have_url(re.compile("schedules_text=thumb"))
    page.wait_for_function("window.callboard?.listening")
    page.evaluate("window.stays = true")
    page.locator("a.callboard-schedule").click()
    expect(page.get_by_role("heading", name="Thumbnails")).to_be_visible()
    assert page.evaluate("window.stays")


def test_somebody_who_was_faster_is_named_in_the_drawer_and_both_changes_are_kept(browser_page, console):
    page = browser_page
    made = schedules.create("Contested", "echo", cron="0 6 * * *")
    page.goto(f"{console}/schedule?id={made.id}")
    page.locator(".st-key-schedule_edit button:visible").click()
    typed(page, "Cron expression", "0 7 * * *")
    schedules.update(made.id, priority=80)
    page.get_by_role("dialog").locator(".st-key-schedule_save button").click()
    expect(page.get_by_role("dialog").get_by_text(re.compile("Contested was changed by api"))).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Priority: 50 → 80")).to_be_visible()
    expect(field(page, "Cron expression")).to_have_value("0 7 * * *")
    page.locator(".st-key-schedule_on_top button").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    both = schedules.get(made.id)
    assert (both.cron, both.priority, both.version) == ("0 7 * * *", 80, 3)
