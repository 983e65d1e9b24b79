"""What axe has to say of every page, light and dark: nothing but what Streamlit itself brings along."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from models import now, tables, transaction
from services import operators, queues, schedules, tasks
from services.audit import acting_as
from tests.browser.screenshots import DRAWN, SETTLED
from tests.processes import kinds

axe = pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

AXE = Path(axe.__file__).with_name("axe.min.js").read_text()
# Rule → where Streamlit's own breaks it: nothing that a page of ours could mend
STREAMLITS = {
    "list": '[data-testid="stSidebarNavItems"]',  # the navigation's sections are <div>s in its <ul>
    "listitem": '[data-testid="stSidebarNavItems"]',  # and hold the <li>s
    "color-contrast": ".token",  # colours of code
    "svg-img-alt": '[data-testid="stMetricChart"]',  # sparklines' marks have no title
    "presentation-role-conflict": '[data-testid="stFileUploaderDropzone"]',  # a labelled section without a role
}
# Dark differs from light in its colours alone: the pages that have them all, and the rule about them
OPTIONS = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
RUN = """([known, options]) => axe.run(document, { resultTypes: ["violations"], ...options }).then(({ violations }) =>
  violations.flatMap(({ id, help, nodes }) => nodes
    .filter(({ target }) => !(known[id] && document.querySelector(target[0])?.closest(known[id])))
    .map(({ html, any }) => `${id}: ${help}: ${html.slice(0, 200)} ${any[0]?.message ?? ""}`)))"""


def violations(page, theme: str = "light") -> list[str]:
    """What axe finds on the page as it stands, but for Streamlit's own."""
    page.wait_for_function(SETTLED)
    page.wait_for_function(DRAWN)
    page.evaluate(AXE)
    return page.evaluate(RUN, [STREAMLITS, OPTIONS[theme]])


@pytest.fixture
def some(console) -> dict[str, int]:
    """Tasks of every kind, one of them with words in its log and one that broke."""
    with acting_as(operators.by_name(operators.FIRST)):
        failed = kinds.giving_up.with_options(title="Report for October", on_parent_failure="hold").enqueue()
        echo = kinds.echo.with_options(title="A letter", tags=["autumn"]).enqueue()
        waits = kinds.echo.with_options(title="Held", needs=[failed], on_parent_failure="hold").enqueue()
        kinds.echo.with_options(queue="mail", title="In line").enqueue()
        kinds.echo.with_options(run_at=now() + timedelta(hours=1), title="Later").enqueue()
        running = kinds.sleepy.with_options(title="Thumbnails").enqueue(seconds=600)
    queues.pause("mail", "The mail server moves house")
    nightly = schedules.create("Nightly letters", "echo", {"text": "good night"}, cron="0 2 * * *")
    tasks.wait(schedules.run_now(nightly.id).id, timeout=60)
    for one in (failed, echo):
        tasks.wait(one.id, timeout=60)
    ids = {"failed": failed.id, "echo": echo.id, "waits": waits.id, "running": running.id}
    return {**ids, "schedule": nightly.id}


def _paths(some: dict[str, int], theme: str) -> list[str]:
    task = "/task?id={}".format
    log = f"{task(some['echo'])}&tab=Log"
    shared = ["/", "/run?run_type=echo", "/errors", f"/schedule?id={some['schedule']}", task(some["failed"]), log]
    if theme == "dark":
        return shared
    pages = ["/tasks", "/schedules", "/inbox", "/workers", "/audit", "/settings", "/task?id=999999"]
    tabs = [f"{task(some['echo'])}&tab={tab}" for tab in ("Arguments", "Files", "History")]
    return [*shared, *pages, task(some["running"]), *tabs, f"{task(some['waits'])}&tab=Related"]


@pytest.fixture
def never_used(console) -> Iterator[None]:
    """As before the first task: until then there are no queues."""
    with transaction() as session:
        before = [dict(row) for row in session.execute(select(tables.queues)).mappings()]
        session.execute(tables.queues.delete())
    yield
    with transaction() as session:
        session.execute(tables.queues.delete())
        if before:
            session.execute(tables.queues.insert(), before)


def test_axe_finds_nothing_on_the_page_to_sign_in_and_on_the_first_run(browser_page, console, never_used):
    page = browser_page
    page.goto(console)
    expect(page.get_by_role("heading", name=re.compile("nothing to do yet"))).to_be_visible()
    assert violations(page) == []
    page.goto(f"{console}/sign-out")
    page.goto(f"{console}/sign-in")
    page.get_by_role("heading", name="Sign in to Callboard").wait_for()
    page.evaluate(AXE)
    assert page.evaluate(RUN, [STREAMLITS, OPTIONS["light"]]) == []


def test_axe_finds_nothing_but_streamlit_s_own_on_any_page_light_or_dark(browser_page, console, some):
    page = browser_page
    found: dict[tuple[str, str], list[str]] = {}
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        for path in _paths(some, theme):
            page.goto(console + path)
            page.get_by_test_id("stMainBlockContainer").locator("h1, [data-testid=stAlert]").first.wait_for()
            if path.endswith("Log"):
                expect(page.get_by_role("region", name="Log")).to_contain_text("saying hello")
            found[theme, path] = violations(page, theme)
        page.goto(f"{console}/workers")
        page.locator(".st-key-Pause_default button").click()
        page.get_by_role("dialog").get_by_label("Reason").wait_for()
        found[theme, "a dialog"] = violations(page, theme)
    assert {where: what for where, what in found.items() if what} == {}
