"""The list of schedules, what comes and what fired, and what Overview says of them, run as Streamlit runs them."""

from datetime import timedelta

import pytest
import streamlit as st
from sqlalchemy.exc import OperationalError

from console.ui import schedule_attention
from models import now
from services import schedules, tasks
from tests.console.kit import fine, harmless, markup, said
from tests.console.schedule_kit import DAILY, everything, opened, some, some_fires, stored
from tests.services.kit import execute
from tests.support import one_ledger

pytestmark = one_ledger


def test_the_list_shows_when_in_words_and_how_it_goes(page):
    row = some(description="Für alle")
    some_fires(row)
    some("off", enabled=False)
    test = fine(page("schedules"))
    words = everything(test)
    for part in (
        "At 06:00 (Europe/Berlin)", 'href="/schedule?id=1"', "50 %", "data-until=", ">Under way<", "Off",
        "Skipped", "Missed", "Not enqueued", "To come",
    ):  # fmt: skip
        assert part in words, part
    harmless(test)


def test_an_empty_list_offers_to_make_the_first(page):
    test = fine(page("schedules", "member"))
    assert "Nothing recurs yet." in said(test)
    test, _ = opened(test, "schedule_first")
    assert not test.exception
    viewer = fine(page("schedules", "viewer"))
    assert viewer.button(key="schedule_new").disabled
    assert "schedule_first" not in [b.key for b in viewer.button]


ASKED = [
    ({}, ["failing", "off", "on 100%"]),
    ({"schedules_state": "On"}, ["failing", "on 100%"]),
    ({"schedules_state": "Off"}, ["off"]),
    ({"schedules_state": "Attention"}, ["failing"]),
    ({"schedules_text": "100%"}, ["on 100%"]),
    ({"schedules_state": "no such state"}, ["failing", "off", "on 100%"]),
    ({"schedules_text": "a\nb"}, []),
]


def test_the_list_is_what_its_address_asks_for(page):
    some("on 100%")
    schedules.create("off", "count", **DAILY, enabled=False)
    failing = some("failing")
    execute(f"UPDATE schedules SET failures_in_row = 3 WHERE id = {failing.id}")
    st.cache_data.clear()
    for params, names in ASKED:
        drawn = markup(fine(page("schedules", **params)))
        assert [name for name in ("failing", "off", "on 100%") if f">{name}</a>" in drawn] == names, params


def test_many_schedules_come_page_by_page_by_name(page):
    for n in range(60):
        some(f"s{n:02}")
    test = fine(page("schedules"))
    assert markup(test).count("callboard-schedule") == 25
    for first in ("s25", "s50"):
        test = fine(test.button(key="schedules_older").click().run())
        assert f">{first}</a>" in markup(test)
    assert test.button(key="schedules_older").disabled
    test = fine(test.button(key="schedules_newer").click().run())
    assert ">s25</a>" in markup(test)


def test_what_comes_and_what_fired_are_shown_across_schedules(page):
    some_fires(some())
    some("other", cron="*/5 * * * *")
    coming = markup(fine(page("schedules", schedules_view="Coming up")))
    assert coming.index(">other</a>") < coming.index(">nightly</a>")
    fired = fine(page("schedules", schedules_view="What fired"))
    assert markup(fired).count('class="cb-cause cb-manual"') == 3
    harmless(fired)


@pytest.mark.parametrize("name", ["schedules", "schedule"])
def test_without_a_database_a_page_is_one_banner(page, name, monkeypatch):
    row = some()
    test = fine(page(name, id=str(row.id)))

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(schedules, "page" if name == "schedules" else "get", away)
    st.cache_data.clear()
    fine(test.run())
    assert [e.proto.title for e in test.error] == ["The database cannot be reached"]


def test_overview_names_schedules_that_need_a_person(page):
    for name, change in (
        ("late one", "due_at = :at, next_at = :at, next_slot = 'x'"),
        ("failing one", "failures_in_row = 4"),
        ("missed one", "last_outcome = 'missed'"),
        ("never one", "due_at = NULL, next_at = NULL, next_slot = NULL"),
        ("paused one", "enabled = FALSE, due_at = NULL, next_at = NULL, next_slot = NULL, disabled_by = 'system', "
         "disabled_reason = '3 failures in a row'"),
    ):  # fmt: skip
        some(name)
        values = {"at": stored(now() - timedelta(minutes=9))} if ":at" in change else {}
        execute(f"UPDATE schedules SET {change} WHERE name = '{name}'", **values)
    tasks.enqueue("greet", {})
    test = fine(page("overview"))
    words = said(test).replace("\\", "")
    for sentence in (
        "Schedule late one was due 9 m", "Schedule failing one failed 4 times in a row.",
        "Schedule missed one missed its last slot", "Schedule never one is on and never fires",
        "Schedule paused one was switched off by itself: 3 failures in a row.",
    ):  # fmt: skip
        assert sentence in words, words


def test_of_many_schedules_in_the_same_trouble_two_are_named_and_each_is_told_once(types):
    for n in range(5):
        some(f"s{n}")
    execute("UPDATE schedules SET failures_in_row = 1, last_outcome = 'missed'")
    told = schedule_attention.sentences(schedules.attention(20))
    assert [words for words, _, _ in told] == [
        "Schedule s0 failed in its last run.", "Schedule s1 failed in its last run.", "3 more schedules: failing.",
    ]  # fmt: skip
    assert [schedule_id for _, schedule_id, _ in told] == [1, 2, None]
