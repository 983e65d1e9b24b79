"""What an operator does, done in a real browser."""

import re
from datetime import timedelta

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from models import Status, now
from services import schedules, sessions, tasks
from tests.processes import kinds
from tests.processes.conftest import sqlite_locked
from tests.services.kit import events, scalar
from tests.support import wait_until

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect


IMPATIENT = """button => new Promise(done => {
    for (let n = 0; n < 8; n++) setTimeout(() => button.click(), 40 * n)
    setTimeout(done, 40 * 8)
})"""


def clicked_impatiently(button) -> None:
    """Eight times, while the first click cannot be answered yet: SQLite's write lock is taken."""
    button.wait_for()
    with sqlite_locked():
        button.evaluate(IMPATIENT)


def test_an_operator_signs_in_cancels_what_runs_and_sees_it_cancelled(browser_page, console):
    page = browser_page
    page.goto(f"{console}/sign-in?link={sessions.link()}")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    task = kinds.sleepy.with_options(title="Nightly thumbnails").enqueue(seconds=120)
    wait_until(lambda: tasks.get(task.id).status is Status.running, timeout=60, what="the start")

    page.goto(f"{console}/task?id={task.id}")
    page.locator(".st-key-task_Cancel button").click()
    expect(page.get_by_text("It runs, and will be asked to stop.")).to_be_visible()
    page.get_by_label("Reason").fill("wrong album")
    page.get_by_label("Reason").press("Tab")
    page.locator(".st-key-confirm_yes button").click()
    expect(page.get_by_text("is asked to stop; it does at its next checkpoint")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("Cancelled", exact=True).first).to_be_visible()
    expect(page.get_by_text("is asked to stop; it does at its next checkpoint")).to_be_visible()  # until it is closed
    page.locator(".st-key-confirm_close button").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert tasks.get(task.id).status is Status.cancelled
    (event,) = events("cancel", task)
    assert (event.actor_kind, event.reason, event.ip) == ("operator", "wrong album", "127.0.0.1")
    assert "Chrome" in (event.user_agent or "")


def test_ticked_rows_are_cancelled_together(browser_page, console):
    page = browser_page
    later = now() + timedelta(hours=1)
    made = [kinds.echo.with_options(run_at=later, title=f"Mail {n}").enqueue() for n in range(3)]
    tasks.cancel(made[0].id)
    page.goto(f"{console}/tasks?status=Pending")
    grid = page.get_by_test_id("stDataFrame")
    expect(grid).to_be_visible()
    box = grid.bounding_box()
    page.mouse.click(box["x"] + 18, box["y"] + 18)  # the box in the head ticks the page
    expect(page.get_by_text("2 ticked")).to_be_visible()
    page.locator(".st-key-tasks_Cancel button").click()
    expect(page.get_by_text("pending will be cancelled")).to_be_visible()
    page.locator(".st-key-confirm_yes button").click()
    expect(page.get_by_text(re.compile("2 pending were cancelled"))).to_be_visible()
    assert {tasks.get(one.id).status for one in made} == {Status.cancelled}


def test_a_task_is_run_from_the_form_once_however_often_it_is_clicked_and_watched_to_its_end(browser_page, console):
    page = browser_page
    page.goto(f"{console}/run?run_type=echo")
    page.get_by_label("Text", exact=True).fill("from the console")
    page.get_by_label("Text", exact=True).press("Tab")
    expect(page.get_by_text("text='from the console'")).to_be_visible()
    clicked_impatiently(page.locator(".st-key-run_it button"))
    expect(page).to_have_url(re.compile(r"/task\?id=\d+"))
    expect(page.get_by_test_id("stMain").get_by_text("Completed", exact=True).first).to_be_visible()
    assert tasks.get(1).result == {"text": "from the console", "number": 1}
    assert scalar("SELECT count(*) FROM tasks") == 1


def test_a_schedule_is_run_now_once_however_often_that_is_clicked(browser_page, console):
    page = browser_page
    made = schedules.create("Hourly", "echo", cron="0 * * * *", payload={"text": "now"}, overlap="allow")
    page.goto(f"{console}/schedule?id={made.id}")
    clicked_impatiently(page.locator(".st-key-schedule_run_now button:visible"))
    expect(page.get_by_test_id("stToast").filter(has_text="is accepted").first).to_be_visible()
    expect(page.locator(".cb-fires").get_by_text("manual").first).to_be_visible()
    assert len(schedules.history(made.id)) == 1


def test_a_revoked_session_closes_its_tab(browser_page, console):
    page = browser_page
    page.goto(console)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    sessions.revoke(scalar("SELECT max(id) FROM sessions WHERE revoked_at IS NULL"))
    expect(page.get_by_role("heading", name="Connection error")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Reload the page to sign in.")).to_be_visible()
    page.goto(console)
    expect(page.get_by_role("heading", name="Sign in to Callboard")).to_be_visible()


def test_the_real_server_refuses_a_stranger_s_websocket_and_files(console):
    import requests

    with pytest.raises(InvalidStatus, match="403"):
        connect(console.replace("http", "ws", 1) + "/_stcore/stream", proxy=None)
    for path in (
        "/media/x",
        "/_stcore/metrics",
        "/_stcore/host-config",
        "/static/js/index.js",
        "/api/artifacts/1",
    ):
        assert requests.get(console + path, timeout=10, allow_redirects=False).status_code == 401
