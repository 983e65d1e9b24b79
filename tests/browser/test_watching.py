"""What an operator sees of accidents and pauses, in a real browser."""

import os
import re
import signal
import time

import pytest
from sqlalchemy import select

from models import Status, reading, tables
from services import queues, tasks
from tests.processes import kinds
from tests.support import wait_until

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


def test_a_killed_worker_is_on_overview_within_twelve_seconds(browser_page, console):
    page = browser_page
    task = kinds.sleepy.enqueue(seconds=120)
    wait_until(lambda: tasks.get(task.id).status is Status.running, timeout=60, what="the start")
    page.goto(console)
    expect(page.locator(".st-key-card_latest")).to_be_visible()
    with reading() as session:
        w = tables.workers.c
        name, pid = session.execute(select(w.name, w.pid).where(w.kind == "worker", w.stopped_at.is_(None))).one()
    os.kill(pid, signal.SIGKILL)
    died = time.monotonic()
    alarm = page.locator(".st-key-alarms").get_by_text(re.compile(f"{re.escape(name)} has not been heard of"))
    expect(alarm).to_be_visible(timeout=12_000)
    assert time.monotonic() - died < 12
    page.locator(".st-key-alarms").get_by_role("link", name="Show").first.click()
    expect(page.get_by_role("heading", name="Workers and queues")).to_be_visible()


def test_a_paused_queue_s_tasks_say_so_and_one_click_on_overview_resumes_it(browser_page, console):
    page = browser_page
    first = kinds.echo.enqueue(text="first")
    wait_until(lambda: tasks.get(first.id).status is Status.completed, timeout=60, what="the first task's end")
    page.goto(f"{console}/workers")
    page.locator(".st-key-Pause_default button").click()
    page.get_by_label("Reason").fill("The disk is full")
    page.get_by_label("Reason").press("Tab")
    page.locator(".st-key-ask_yes button").click()
    expect(page.locator(".st-key-queue_default").get_by_text("Paused", exact=True).first).to_be_visible()
    assert queues.get("default").pause_reason == "The disk is full"

    waiting = kinds.echo.with_options(title="Waits").enqueue(text="second")
    page.goto(f"{console}/task?id={waiting.id}")
    said = page.get_by_test_id("stMain").get_by_text(re.compile("ueue default is paused: The disk is full"))
    expect(said.first).to_be_visible()

    page.goto(console)
    expect(page.locator(".st-key-alarms").get_by_text("The disk is full")).to_be_visible()
    page.locator(".st-key-alarms").get_by_role("button", name="Resume").click()
    page.locator(".st-key-ask_yes button").click()
    wait_until(lambda: tasks.get(waiting.id).status is Status.completed, timeout=60, what="the end of what waited")


def test_the_span_is_in_the_address_and_survives_a_reload(browser_page, console):
    page = browser_page
    done = kinds.echo.enqueue(text="one")
    wait_until(lambda: tasks.get(done.id).status is Status.completed, timeout=60, what="the end")
    page.goto(f"{console}/?span=1h")
    expect(page.get_by_text("Completed in 1h").first).to_be_visible()
    page.get_by_role("radio", name="7d").or_(page.get_by_role("button", name="7d")).first.click()
    expect(page).to_have_url(re.compile(r"span=7d"))
    page.reload()
    expect(page.get_by_text("Completed in 7d").first).to_be_visible()
