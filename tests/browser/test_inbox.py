"""What a person asked for, from the form to the inbox; the keys; what the browser itself has to do."""

import re

import pytest

from models import Status
from services import operators, tasks
from services.audit import acting_as
from tests.browser.screenshots import SETTLED
from tests.processes import kinds
from tests.support import wait_until

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

NOTED = """
  document.hasFocus = () => false
  window.shown = []
  window.Notification = class {
    static permission = "granted"
    constructor(title, options) { window.shown.push([title, options.body]) }
  }
"""


def asked(**arguments):
    """A task of the signed-in person."""
    with acting_as(operators.by_name(operators.FIRST)):
        return kinds.echo.with_options(title="A letter").enqueue(**arguments)


def badge(page):
    """The navigation's link to the inbox."""
    return page.locator('[data-testid="stSidebarNavLink"][href$="/inbox"]')


def test_what_was_run_from_the_form_is_watched_told_and_run_again_with_other_arguments(browser_page, console):
    page = browser_page
    page.goto(f"{console}/run?run_type=sleepy")
    seconds = page.get_by_label("Seconds", exact=True)
    seconds.fill("2")
    seconds.press("Tab")
    expect(page.get_by_text("seconds=2")).to_be_visible()
    page.locator(".st-key-run_it button").click()
    expect(page).to_have_url(re.compile(r"/task\?id=1$"))
    expect(page.get_by_test_id("stToast").filter(has_text="sleepy #1 has completed.")).to_be_visible()
    expect(badge(page)).to_have_attribute("data-unread", "1")
    expect(page).to_have_title(re.compile(r"^\(1\) "))

    page.reload()
    expect(badge(page)).to_have_attribute("data-unread", "1")
    page.goto(f"{console}/task?id=1")
    page.locator(".st-key-task_again button").click()
    expect(seconds).to_have_value("2")
    seconds.fill("0.1")
    seconds.press("Tab")
    expect(page.get_by_text("seconds=0.1")).to_be_visible()
    page.locator(".st-key-run_it button").click()
    expect(page).to_have_url(re.compile(r"/task\?id=2$"))
    again = tasks.wait(2, timeout=60)
    assert (again.rerun_of, again.body.payload["seconds"], again.status) == (1, 0.1, Status.completed)


def test_an_entry_is_read_once_opened_and_gone_once_dismissed(browser_page, console):
    page = browser_page
    one, two = asked(), asked()
    tasks.wait(one.id, timeout=60), tasks.wait(two.id, timeout=60)
    page.goto(console)
    expect(badge(page)).to_have_attribute("data-unread", "2")
    badge(page).click()
    page.locator(f".st-key-open_{one.id} button").click()
    expect(page).to_have_url(re.compile(rf"/task\?id={one.id}$"))
    expect(badge(page)).to_have_attribute("data-unread", "1")
    badge(page).click()
    expect(page.locator(f".st-key-read_{two.id} button:visible")).to_have_count(1)
    page.wait_for_function(SETTLED)
    page.locator(f".st-key-dismiss_{two.id} button:visible").click()
    expect(page.locator(f".st-key-entry_{two.id}")).to_have_count(0)
    expect(badge(page)).not_to_have_attribute("data-unread", "1")
    page.get_by_text("Show what I dismissed").click()
    page.locator(f".st-key-restore_{two.id} button:visible").click()
    expect(page.get_by_text("You have dismissed nothing.")).to_be_visible()


def test_the_keys_search_lead_to_pages_and_explain_themselves(browser_page, console):
    page = browser_page
    page.goto(console)
    search = page.locator(".st-key-text input")
    page.wait_for_function("window.callboard?.listening")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.type("g?")
    expect(search).to_have_value("g?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    search.fill("")
    search.blur()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    for key, heading in (
        ("i", "Inbox"),
        ("e", "Errors"),
        ("w", "Workers and queues"),
        ("o", "Overview"),
        ("t", "Tasks"),
    ):
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    page.locator(".callboard-keys").click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).not_to_be_visible()


def test_the_chosen_theme_is_that_of_every_page(browser_page, console):
    page = browser_page
    page.goto(f"{console}/settings")
    page.get_by_text("Dark", exact=True).click()
    background = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    page.wait_for_function(f"({background})() === 'rgb(15, 17, 23)'")
    for path in ("/tasks", "/", "/task?id=1"):
        page.goto(console + path)
        page.get_by_test_id("stMainBlockContainer").wait_for()
        page.wait_for_function(f"({background})() === 'rgb(15, 17, 23)'")


def test_the_desktop_tells_who_looks_elsewhere_once_and_only_those_who_asked_for_it(browser_page, console):
    page = browser_page
    page.add_init_script(NOTED)
    page.goto(f"{console}/settings")
    expect(page.get_by_role("button", name="Inbox", exact=True)).to_be_visible()  # from here on, endings are news
    asked_before = asked()
    tasks.wait(asked_before.id, timeout=60)
    expect(page.get_by_test_id("stToast").filter(has_text=f"#{asked_before.id}")).to_be_visible()
    assert page.evaluate("window.shown") == []
    page.get_by_text("Desktop notifications").click()
    expect(page.get_by_text("This browser shows them.")).to_be_visible()
    task = asked()
    page.wait_for_function("window.shown.length > 0")
    wait_until(lambda: tasks.get(task.id).finished, timeout=60, what="the end")
    assert page.evaluate("window.shown") == [["A letter", f"Completed · task #{task.id}"]]


def test_a_task_of_the_picture_opens_in_place(browser_page, console):
    page = browser_page
    first = asked()
    with acting_as(operators.by_name(operators.FIRST)):
        then = kinds.echo.with_options(title="The answer", needs=[first]).enqueue()
    page.goto(f"{console}/task?id={then.id}&tab=Related")
    page.evaluate("window.stays = true")
    page.locator(f'a.callboard-task[href="/task?id={first.id}"]').click()
    expect(page).to_have_url(re.compile(rf"/task\?id={first.id}\b"))
    expect(page.get_by_role("heading", name="A letter")).to_be_visible()
    assert page.evaluate("window.stays")
