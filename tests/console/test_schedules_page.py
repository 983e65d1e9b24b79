"""Schedules in the console: the list, the drawer, one schedule's page, run as Streamlit runs them."""

from datetime import timedelta

import pytest
import streamlit as st
from sqlalchemy.exc import OperationalError
from streamlit.testing.v1 import AppTest

from console.ui import cards, schedule_attention
from models import Cause, FireOutcome, Move, Schedule, Task, db, now
from services import schedules, tasks
from services.audit import acting_as
from tests.console.test_pages import (  # noqa: F401 - fixtures
    HOSTILE,
    fine,
    harmless,
    main_module,
    markup,
    page,
    people,
    said,
    types,
)
from tests.services.kit import events, execute, finish, scalar, take
from tests.support import one_ledger

pytestmark = one_ledger

DAILY = {"cron": "0 6 * * *", "zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def nothing_kept():
    """No figures of another test."""
    cards.forget()
    yield
    cards.forget()


def some(name: str = "nightly", **more) -> Schedule:
    """A schedule."""
    return schedules.create(name, "greet", {"name": "a"}, **{**DAILY, **more})


def some_fires(row: Schedule) -> list[Task]:
    """Runs that completed and failed, one that runs on, and slots of every other outcome."""
    runs = []
    for move in (Move.complete, Move.fail, None):
        run = schedules.run_now(row.id)
        runs.append(run)
        claimed = take(1)
        if move is not None:
            finish(claimed, move)
            schedules.follow()
    for n, outcome in enumerate(FireOutcome):
        if outcome not in (FireOutcome.ran, FireOutcome.deduplicated):
            execute(
                "INSERT INTO fires (schedule_id, slot, at, fired_at, late_s, cause, outcome, why) "
                f"VALUES ({row.id}, 's{n}', :at, :at, 0, 'automatic', '{outcome.value}', :why)",
                at=stored(now() - timedelta(hours=n + 1)), why=HOSTILE,
            )  # fmt: skip
    st.cache_data.clear()
    return runs


def stored(moment):
    """A time as either database stores it."""
    return moment if db.is_postgresql() else f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def drawer(test: AppTest) -> str:
    """The key of the open drawer's widgets."""
    (key,) = {w.key.split("#")[0] for w in test.text_input if (w.key or "").endswith("#name")}
    return key


def opened(test: AppTest, button: str = "schedule_new") -> tuple[AppTest, str]:
    """The same page with the drawer open, and the key of its widgets."""
    test = fine(test.button(key=button).click().run())
    return test, drawer(test)


def everything(test: AppTest) -> str:
    """All words, of titles of alerts and of our HTML, too."""
    alerts = [one.proto.title for kind in (test.error, test.warning, test.info) for one in kind]
    return "\n".join([said(test).replace("\\", ""), markup(test), *alerts])


def test_the_list_shows_when_in_words_and_how_it_goes(page):  # noqa: F811
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


def test_an_empty_list_offers_to_make_the_first(page):  # noqa: F811
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


def test_the_list_is_what_its_address_asks_for(page):  # noqa: F811
    some("on 100%")
    schedules.create("off", "count", **DAILY, enabled=False)
    failing = some("failing")
    execute(f"UPDATE schedules SET failures_in_row = 3 WHERE id = {failing.id}")
    st.cache_data.clear()
    for params, names in ASKED:
        drawn = markup(fine(page("schedules", **params)))
        assert [name for name in ("failing", "off", "on 100%") if f">{name}</a>" in drawn] == names, params


def test_many_schedules_come_page_by_page_by_name(page):  # noqa: F811
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


def test_what_comes_and_what_fired_are_shown_across_schedules(page):  # noqa: F811
    some_fires(some())
    some("other", cron="*/5 * * * *")
    coming = markup(fine(page("schedules", schedules_view="Coming up")))
    assert coming.index(">other</a>") < coming.index(">nightly</a>")
    fired = fine(page("schedules", schedules_view="What fired"))
    assert markup(fired).count('class="cb-cause cb-manual"') == 3
    harmless(fired)


def test_a_schedule_is_made_in_the_drawer_with_what_was_typed(page, people):  # noqa: F811
    test, key = opened(page("schedules", "member"))
    test.text_input(key=f"{key}#name").set_value("Morning words")
    test.selectbox(key=f"{key}#type").select("greet")
    test = fine(test.run())
    test.text_input(key=f"{key}/greet/name").set_value("as of {{ slot }}")
    test.text_input(key=f"{key}#cron").set_value("30 8 * * 1-5")
    test.selectbox(key=f"{key}#zone").select("Asia/Tokyo")
    test.radio(key=f"{key}#overlap").set_value("queue_one")
    test.number_input(key=f"{key}#pause").set_value(3)
    test = fine(test.run())
    words = everything(test)
    assert "At 08:30, Monday through Friday (Asia/Tokyo)" in words
    assert "For you: Europe/Berlin" in words
    assert words.count("<small>+09:00</small>") == 10
    test = fine(test.button(key="schedule_save").click().run())
    row = schedules.find("Morning words")
    assert (row.cron, row.zone, row.overlap.value, row.pause_after) == ("30 8 * * 1-5", "Asia/Tokyo", "queue_one", 3)
    assert (row.payload, row.owner) == ({"name": "as of {{ slot }}"}, people["member"].id)
    assert test.title[0].value == "Morning words"
    (event,) = [event for event in events("create") if event.entity == "schedule"]
    assert (event.actor_id, event.ip) == ("member-1", "10.0.0.7")


BAD = {
    "60 * * * *": "cron: '60' is no minute; give 0 to 59",
    "* * * *": "cron: '* * * *' has 4 fields; give 5",
    "*/0 * * * *": "cron: '*/0' is no minute; steps are 1 or more",
    "a b c d e": "cron: 'a' is no minute",
    "0 0 30 2 *": "cron: '0 0 30 2 *' never fires within 5 years",
    "1" * 201: "cron: 201 characters are more than 200; shorten it",
    "١ * * * *": "holds letters or digits that cron does not know; write it with 0 to 9",
}


def sentences(test: AppTest) -> list[str]:
    """What is said to be wrong."""
    return [error.value.replace("\\", "") for error in test.error]


def filled(test: AppTest, name: str = "mine") -> tuple[AppTest, str]:
    """The open drawer, with a name and a type."""
    test, key = opened(test)
    test.text_input(key=f"{key}#name").set_value(name)
    test.selectbox(key=f"{key}#type").select("greet")
    return fine(test.run()), key


def test_a_bad_cron_is_said_at_its_field_and_at_the_end_and_nothing_is_lost(page):  # noqa: F811
    test, key = filled(page("schedules"))
    for line, sentence in BAD.items():
        test.text_input(key=f"{key}#cron").set_value(line)
        test = fine(test.button(key="schedule_save").click().run())
        assert sum(sentence in each for each in sentences(test)) == 2, sentences(test)
        assert "Nothing was saved" in everything(test)
        assert (test.text_input(key=f"{key}#name").value, test.text_input(key=f"{key}#cron").value) == ("mine", line)
    assert scalar("SELECT count(*) FROM schedules") == 0


WRONG = [
    ("text_input", "#name", " ", "name: is empty"),
    ("text_input", "#name", "x" * 201, "name: 201 characters are more than 200; shorten it"),
    ("text_input", "#name", "taken", "name: there is a schedule 'taken' already, #1; choose another name"),
    ("number_input", "#jitter", 90_000, "jitter: 90000 is not a duration"),
    ("number_input", "#retries", 99, "retries: 99 is not a whole number"),
    ("number_input", "#pause", 0, "pause_after: 0 is not a whole number from 1"),
    ("text_input", "/greet/name", "{{ today }}", "payload/name: '{{ today }}' holds braces that mean nothing here"),
]


def test_a_field_that_cannot_be_is_refused_in_a_sentence(page):  # noqa: F811
    some("taken")
    test, key = filled(page("schedules"))
    for kind, widget, value, sentence in WRONG:
        found = getattr(test, kind)(key=key + widget)
        before = found.value
        found.set_value(value)
        test = fine(test.button(key="schedule_save").click().run())
        assert sum(sentence in each for each in sentences(test)) == 2, sentences(test)
        getattr(test, kind)(key=key + widget).set_value(before)
    assert scalar("SELECT count(*) FROM schedules") == 1
    fine(test.button(key="schedule_save").click().run())
    assert schedules.find("mine").retries == 3


@pytest.mark.parametrize("zone", ["Europe/Berln", "../UTC"])
def test_a_zone_that_cannot_be_is_refused_in_a_sentence(page, zone):  # noqa: F811
    row = some()
    execute(f"UPDATE schedules SET zone = '{zone}'")
    test, _ = opened(page("schedule", id=str(row.id)), "schedule_edit")
    assert any(f"zone: '{zone}' is no time zone; did you mean" in each for each in sentences(test)), sentences(test)
    fine(test.button(key="schedule_save").click().run())
    assert events("update") == []


def test_an_interval_that_cannot_be_is_refused_in_a_sentence(page):  # noqa: F811
    test, key = filled(page("schedules"))
    test.session_state[f"{key}#kind"] = "every"
    test = fine(test.run())
    for count, unit in ((0, "minutes"), (-1, "hours"), (10**9, "days")):
        test.number_input(key=f"{key}#every").set_value(count)
        test.selectbox(key=f"{key}#unit").select(unit)
        test = fine(test.button(key="schedule_save").click().run())
        assert any("is not whole minutes from 1 minute to 366 days" in each for each in sentences(test))


def test_a_start_after_the_end_and_a_missing_type_are_refused(page):  # noqa: F811
    test, key = opened(page("schedules"))
    test.text_input(key=f"{key}#name").set_value("mine")
    test = fine(test.button(key="schedule_save").click().run())
    assert sum("type: is missing; choose what is to run" in each for each in sentences(test)) == 2
    test.selectbox(key=f"{key}#type").select("count")
    tomorrow = (now() + timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    test.session_state[f"{key}#start_at"], test.session_state[f"{key}#end_at"] = tomorrow, tomorrow - timedelta(hours=3)
    test = fine(test.button(key="schedule_save").click().run())
    assert any("is not after start_at" in each for each in sentences(test))


def test_an_edit_writes_what_was_changed_alone(page):  # noqa: F811
    row = some(start_at=now() + timedelta(days=1, seconds=7), jitter=30, tags=["a"])
    test, key = opened(page("schedule", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    test.text_input(key=f"{key}#reason").set_value("later")
    fine(test.button(key="schedule_save").click().run())
    (event,) = events("update")
    assert (event.before, event.after, event.reason) == ({"cron": "0 6 * * *"}, {"cron": "0 7 * * *"}, "later")
    changed = schedules.get(row.id)
    assert (changed.start_at, changed.jitter_s, changed.version) == (row.start_at, 30, 2)
    assert changed.next_at != row.next_at


def test_an_edit_of_nothing_writes_nothing(page):  # noqa: F811
    row = schedules.create("every", "greet", {"n": 0, "data": {"a": [1]}}, every=5400, jitter=3, timeout=0.5)
    test, _ = opened(page("schedule", id=str(row.id)), "schedule_edit")
    fine(test.button(key="schedule_save").click().run())
    assert (events("update"), schedules.get(row.id).version) == ([], 1)


def test_somebody_who_was_faster_is_named_and_nothing_is_lost(page, people):  # noqa: F811
    row = some()
    test, key = opened(page("schedule", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    with acting_as(people["operator"]):
        schedules.update(row.id, priority=90, description="theirs")
    test = fine(test.button(key="schedule_save").click().run())
    words = everything(test)
    assert "nightly was changed by operator:operator-1" in words
    assert "Somebody else was faster; nothing was saved" in words
    assert {"Priority: 50 → 90", "Description: – → theirs"} <= {one.value for one in test.text}
    assert test.text_input(key=f"{key}#cron").value == "0 7 * * *"
    fine(test.button(key="schedule_on_top").click().run())
    both = schedules.get(row.id)
    assert (both.cron, both.priority, both.description) == ("0 7 * * *", 90, "theirs")


def test_the_drawer_starts_again_from_what_somebody_else_left(page, people):  # noqa: F811
    row = some()
    test, key = opened(page("schedule", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    schedules.update(row.id, cron="0 9 * * *")
    test = fine(test.button(key="schedule_save").click().run())
    test = fine(test.button(key="schedule_theirs").click().run())
    assert test.text_input(key=f"{drawer(test)}#cron").value == "0 9 * * *"
    assert schedules.get(row.id).cron == "0 9 * * *"


def test_a_duplicate_is_another_schedule_of_the_same(page):  # noqa: F811
    row = some(project="p", overlap="allow")
    test, key = opened(page("schedule", id=str(row.id)), "schedule_duplicate")
    assert test.text_input(key=f"{key}#name").value == "Copy of nightly"
    fine(test.button(key="schedule_save").click().run())
    copy = schedules.find("Copy of nightly")
    assert (copy.payload, copy.cron, copy.project, copy.overlap) == (row.payload, row.cron, "p", row.overlap)


def test_a_template_that_drawn_fields_cannot_hold_is_shown_as_json(page):  # noqa: F811
    row = schedules.create("data", "greet", {"data": "{{ last_completed_at }}", "name": "{{ slot }}"}, **DAILY)
    test, key = opened(page("schedule", id=str(row.id)), "schedule_edit")
    assert test.toggle(key=f"{key}/greet#json").value is False
    execute("UPDATE schedules SET payload = '{\"gone\": 1}'")
    test = fine(page("schedule", id=str(row.id)))
    test, key = opened(test, "schedule_edit")
    assert test.toggle(key=f"{key}/greet#json").value is True
    test.text_area(key=f"{key}/greet#text").set_value("{")
    test = fine(test.button(key="schedule_save").click().run())
    assert any("payload: is not JSON" in e.value.replace("\\", "") for e in test.error)


def test_one_schedule_s_page_tells_all_and_harms_nobody(page):  # noqa: F811
    row = some(HOSTILE, description=HOSTILE, tags=["a"], project="p", jitter=10)
    runs = some_fires(row)
    execute(f"UPDATE tasks SET parent_id = {runs[0].id} WHERE id = {tasks.enqueue('count', {}).id}")
    test = fine(page("schedule", id=str(row.id)))
    words = everything(test)
    assert all(f'href="/task?id={run.id}"' in words for run in runs)
    for part in ("manual", "no such album", "made <a", "50 %", "cb-now", "Skipped", "Missed", "Not enqueued", "done"):
        assert part in words, part
    harmless(test)
    for tab in ("Definition", "Changes"):
        harmless(fine(page("schedule", id=str(row.id), schedule_tab=tab)))
    harmless(fine(page("schedules")))


def test_the_history_is_asked_for_single_outcomes(page):  # noqa: F811
    row = some()
    some_fires(row)
    test = fine(page("schedule", id=str(row.id), fired="Missed"))
    drawn = next(html for html in markup(test).split("\n") if "cb-fires" in html)
    assert (drawn.count('role="row"'), "automatic" in drawn, "manual" in drawn) == (1, True, False)


def test_run_now_makes_a_manual_run_and_says_why_it_may_not(page):  # noqa: F811
    row = some()
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_run_now").click().run())
    (view,) = schedules.history(row.id)
    assert (view.cause, view.task_id) == (Cause.manual, 1)
    test = fine(test.button(key="schedule_run_now").click().run())
    words = everything(test)
    assert "It was not run" in words
    assert "#1 has not ended, and its policy for overlap is skip" in words
    assert len(schedules.history(row.id)) == 1


def test_switching_off_takes_a_reason_and_shows_no_next_fire(page):  # noqa: F811
    row = some()
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_switch_off").click().run())
    test = fine(test.button(key="ask_yes").click().run())
    assert schedules.get(row.id).enabled
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_switch_off").click().run())
    test.text_input(key="ask_reason").set_value(HOSTILE)
    test = fine(test.button(key="ask_yes").click().run())
    assert not schedules.get(row.id).enabled
    words = everything(test)
    assert "no fire to come" in words
    assert "Off since" in words
    harmless(test)
    test = fine(test.button(key="schedule_switch_on").click().run())
    fine(test.button(key="ask_yes").click().run())
    assert schedules.get(row.id).enabled


def test_deleting_says_what_ends_and_ends_it_where_asked(page):  # noqa: F811
    row = some()
    run = schedules.run_now(row.id)
    test = fine(page("schedule", id=str(row.id)))
    test = fine(test.button(key="schedule_delete").click().run())
    assert f"**1 run** of it has not ended: #{run.id}" in everything(test)
    test.toggle(key="schedule_cancel_runs").set_value(True)
    test = fine(test.button(key="ask_yes").click().run())
    assert (schedules.page(), tasks.get(run.id).status.value) == ([], "cancelled")
    assert test.title[0].value == "Schedules"
    gone = fine(page("schedule", id=str(row.id)))
    assert "It was deleted at" in said(gone)
    assert not [b for b in gone.button if b.key == "schedule_run_now"]


def test_a_backfill_is_shown_before_it_is_done(page):  # noqa: F811
    row = some(cron="0 * * * *", zone="UTC")
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_backfill").click().run())
    words = said(test)
    assert "**24 tasks**" in words or "**25 tasks**" in words
    assert "Each waits until the one before has ended." in words
    test.text_input(key="backfill_reason").set_value("the disk was full")
    fine(test.button(key="backfill_yes").click().run())
    views = schedules.history(row.id)
    assert {view.cause for view in views} == {Cause.backfill}
    assert len(views) in (24, 25)
    (event,) = events("backfill")
    assert (event.reason, event.actor_id) == ("the disk was full", "operator-1")


def test_drift_from_what_code_declares_is_shown(page):  # noqa: F811
    row = schedules.ensure("nightly", "greet", {"name": "a"}, **DAILY)
    assert "It differs from what code declares" not in everything(fine(page("schedule", id=str(row.id))))
    schedules.update(row.id, cron="0 9 * * *")
    words = everything(fine(page("schedule", id=str(row.id))))
    assert "It differs from what code declares" in words
    assert "**Cron**: declared 0 6 * * *, is 0 9 * * *" in words


def test_a_viewer_sees_all_and_every_act_is_greyed_out(page, people):  # noqa: F811
    row = some()
    some_fires(row)
    test = fine(page("schedule", "viewer", id=str(row.id)))
    acts = [b for b in test.button if (b.key or "").startswith("schedule_")]
    assert len(acts) == 6
    assert all(b.disabled for b in acts)
    assert "Changes" not in [tab.label for tab in test.tabs]


def test_a_member_changes_their_own_alone(page, people):  # noqa: F811
    with acting_as(people["member"]):
        own = some("own")
    other = some("other")
    assert not page("schedule", "member", id=str(own.id)).button(key="schedule_edit").disabled
    theirs = page("schedule", "member", id=str(other.id))
    assert theirs.button(key="schedule_edit").disabled
    assert not theirs.button(key="schedule_duplicate").disabled


def test_a_demoted_operator_s_clicks_change_nothing(page, people):  # noqa: F811
    row = some()
    test, key = opened(page("schedule", "operator", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    execute("UPDATE operators SET role = 'viewer' WHERE name = 'operator-1'")
    test = fine(test.button(key="schedule_save").click().run())
    assert any("this takes the role operator" in e.value for e in test.error)
    assert schedules.get(row.id).cron == "0 6 * * *"


def test_a_schedule_that_is_not_there_is_said_in_a_sentence(page):  # noqa: F811
    for number in ("", "999999", "<script>", "１２"):
        test = fine(page("schedule", id=number))
        assert next(e.proto.title for e in test.error).startswith("No schedule")


@pytest.mark.parametrize("name", ["schedules", "schedule"])
def test_without_a_database_a_page_is_one_banner(page, name, monkeypatch):  # noqa: F811
    row = some()
    test = fine(page(name, id=str(row.id)))

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(schedules, "page" if name == "schedules" else "get", away)
    st.cache_data.clear()
    fine(test.run())
    assert [e.proto.title for e in test.error] == ["The database cannot be reached"]


def test_overview_names_schedules_that_need_a_person(page):  # noqa: F811
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


def test_of_many_schedules_in_the_same_trouble_two_are_named_and_each_is_told_once(ledger):
    for n in range(5):
        some(f"s{n}")
    execute("UPDATE schedules SET failures_in_row = 1, last_outcome = 'missed'")
    told = schedule_attention.sentences(schedules.attention(20))
    assert [words for words, _, _ in told] == [
        "Schedule s0 failed in its last run.", "Schedule s1 failed in its last run.", "3 more schedules: failing.",
    ]  # fmt: skip
    assert [schedule_id for _, schedule_id, _ in told] == [1, 2, None]
