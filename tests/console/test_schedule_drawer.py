"""The drawer of a schedule: making, editing, copying, and what it refuses."""

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from models import now
from services import schedules
from services.audit import acting_as
from tests.console.kit import fine
from tests.console.schedule_kit import DAILY, drawer, everything, opened, sentences, some
from tests.services.kit import events, execute, scalar
from tests.support import one_ledger

pytestmark = one_ledger


def test_a_schedule_is_made_in_the_drawer_with_what_was_typed(page, people):
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


def filled(test: AppTest, name: str = "mine") -> tuple[AppTest, str]:
    """The open drawer, with a name and a type."""
    test, key = opened(test)
    test.text_input(key=f"{key}#name").set_value(name)
    test.selectbox(key=f"{key}#type").select("greet")
    return fine(test.run()), key


def test_a_bad_cron_is_said_at_its_field_and_at_the_end_and_nothing_is_lost(page):
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


def test_a_field_that_cannot_be_is_refused_in_a_sentence(page):
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
def test_a_zone_that_cannot_be_is_refused_in_a_sentence(page, zone):
    row = some()
    execute(f"UPDATE schedules SET zone = '{zone}'")
    test, _ = opened(page("schedule", id=str(row.id)), "schedule_edit")
    assert any(f"zone: '{zone}' is no time zone; did you mean" in each for each in sentences(test)), sentences(test)
    fine(test.button(key="schedule_save").click().run())
    assert events("update") == []


def test_an_interval_that_cannot_be_is_refused_in_a_sentence(page):
    test, key = filled(page("schedules"))
    test.session_state[f"{key}#kind"] = "every"
    test = fine(test.run())
    for count, unit in ((0, "minutes"), (-1, "hours"), (10**9, "days")):
        test.number_input(key=f"{key}#every").set_value(count)
        test.selectbox(key=f"{key}#unit").select(unit)
        test = fine(test.button(key="schedule_save").click().run())
        assert any("is not whole minutes from 1 minute to 366 days" in each for each in sentences(test))


def test_a_start_after_the_end_and_a_missing_type_are_refused(page):
    test, key = opened(page("schedules"))
    test.text_input(key=f"{key}#name").set_value("mine")
    test = fine(test.button(key="schedule_save").click().run())
    assert sum("type: is missing; choose what is to run" in each for each in sentences(test)) == 2
    test.selectbox(key=f"{key}#type").select("count")
    tomorrow = (now() + timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    test.session_state[f"{key}#start_at"], test.session_state[f"{key}#end_at"] = tomorrow, tomorrow - timedelta(hours=3)
    test = fine(test.button(key="schedule_save").click().run())
    assert any("is not after start_at" in each for each in sentences(test))


def test_an_edit_writes_what_was_changed_alone(page):
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


def test_an_edit_of_nothing_writes_nothing(page):
    row = schedules.create("every", "greet", {"n": 0, "data": {"a": [1]}}, every=5400, jitter=3, timeout=0.5)
    test, _ = opened(page("schedule", id=str(row.id)), "schedule_edit")
    fine(test.button(key="schedule_save").click().run())
    assert (events("update"), schedules.get(row.id).version) == ([], 1)


def test_somebody_who_was_faster_is_named_and_nothing_is_lost(page, people):
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


def test_the_drawer_starts_again_from_what_somebody_else_left(page, people):
    row = some()
    test, key = opened(page("schedule", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    schedules.update(row.id, cron="0 9 * * *")
    test = fine(test.button(key="schedule_save").click().run())
    test = fine(test.button(key="schedule_theirs").click().run())
    assert test.text_input(key=f"{drawer(test)}#cron").value == "0 9 * * *"
    assert schedules.get(row.id).cron == "0 9 * * *"


def test_a_duplicate_is_another_schedule_of_the_same(page):
    row = some(project="p", overlap="allow")
    test, key = opened(page("schedule", id=str(row.id)), "schedule_duplicate")
    assert test.text_input(key=f"{key}#name").value == "Copy of nightly"
    fine(test.button(key="schedule_save").click().run())
    copy = schedules.find("Copy of nightly")
    assert (copy.payload, copy.cron, copy.project, copy.overlap) == (row.payload, row.cron, "p", row.overlap)


def test_a_template_that_drawn_fields_cannot_hold_is_shown_as_json(page):
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


def test_a_demoted_operator_s_clicks_change_nothing(page, people):
    row = some()
    test, key = opened(page("schedule", "operator", id=str(row.id)), "schedule_edit")
    test.text_input(key=f"{key}#cron").set_value("0 7 * * *")
    execute("UPDATE operators SET role = 'viewer' WHERE name = 'operator-1'")
    test = fine(test.button(key="schedule_save").click().run())
    assert any("this takes the role operator" in e.value for e in test.error)
    assert schedules.get(row.id).cron == "0 6 * * *"
