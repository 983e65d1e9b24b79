"""One schedule's page: what became of each slot, and what can be done about it."""

from models import Cause
from services import schedules, tasks
from services.audit import acting_as
from tests.console.kit import HOSTILE, fine, harmless, markup, said
from tests.console.schedule_kit import DAILY, everything, some, some_fires
from tests.services.kit import events, execute
from tests.support import one_ledger

pytestmark = one_ledger


def test_one_schedule_s_page_tells_all_and_harms_nobody(page):
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


def test_the_history_is_asked_for_single_outcomes(page):
    row = some()
    some_fires(row)
    test = fine(page("schedule", id=str(row.id), fired="Missed"))
    drawn = next(html for html in markup(test).split("\n") if "cb-fires" in html)
    assert (drawn.count('role="row"'), "automatic" in drawn, "manual" in drawn) == (1, True, False)


def test_run_now_makes_a_manual_run_and_says_why_it_may_not(page):
    row = some()
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_run_now").click().run())
    (view,) = schedules.history(row.id)
    assert (view.cause, view.task_id) == (Cause.manual, 1)
    test = fine(test.button(key="schedule_run_now").click().run())
    assert "It was not run" not in everything(test), "an impatient second click is the same wish"
    test = fine(page("schedule", "operator", id=str(row.id)))
    test = fine(test.button(key="schedule_run_now").click().run())
    words = everything(test)
    assert "It was not run" in words
    assert "#1 has not ended, and its policy for overlap is skip" in words
    assert len(schedules.history(row.id)) == 1


def test_switching_off_takes_a_reason_and_shows_no_next_fire(page):
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


def test_deleting_says_what_ends_and_ends_it_where_asked(page):
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


def test_a_backfill_is_shown_before_it_is_done(page):
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


def test_drift_from_what_code_declares_is_shown(page):
    row = schedules.ensure("nightly", "greet", {"name": "a"}, **DAILY)
    assert "It differs from what code declares" not in everything(fine(page("schedule", id=str(row.id))))
    schedules.update(row.id, cron="0 9 * * *")
    words = everything(fine(page("schedule", id=str(row.id))))
    assert "It differs from what code declares" in words
    assert "**Cron**: declared 0 6 * * *, is 0 9 * * *" in words


def test_a_viewer_sees_all_and_every_act_is_greyed_out(page, people):
    row = some()
    some_fires(row)
    test = fine(page("schedule", "viewer", id=str(row.id)))
    acts = [b for b in test.button if (b.key or "").startswith("schedule_")]
    assert len(acts) == 6
    assert all(b.disabled for b in acts)
    assert "Changes" not in [tab.label for tab in test.tabs]


def test_a_member_changes_their_own_alone(page, people):
    with acting_as(people["member"]):
        own = some("own")
    other = some("other")
    assert not page("schedule", "member", id=str(own.id)).button(key="schedule_edit").disabled
    theirs = page("schedule", "member", id=str(other.id))
    assert theirs.button(key="schedule_edit").disabled
    assert not theirs.button(key="schedule_duplicate").disabled


def test_a_schedule_that_is_not_there_is_said_in_a_sentence(page):
    for number in ("", "999999", "<script>", "１２"):
        test = fine(page("schedule", id=number))
        assert next(e.proto.title for e in test.error).startswith("No schedule")
