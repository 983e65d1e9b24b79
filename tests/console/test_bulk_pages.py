"""Acting on many from the pages: dry run, reason, results, undo; saved views; kinds of failure."""

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from console import asked
from models import GroupState, Move, Status
from services import bulk, error_counts, error_groups, saved_views, tasks, workers
from services.audit import acting_as
from services.bulk import Act
from services.lifecycle.release import release
from tests.console.kit import HOSTILE, fine, harmless, said, ticked
from tests.services.kit import count, events, execute, finish, status, take
from tests.support import one_ledger, wait_until

Open = Callable[..., AppTest]


# What pages show is the same on both: the services behind them are tested on both
pytestmark = [one_ledger, pytest.mark.usefixtures("types")]


def fail(many: int, fingerprint: str = "f1", words: str = "no such album") -> list[int]:
    """Tasks that failed alike, counted."""
    ids = tasks.enqueue_many("greet", [{}] * many)
    for claimed in take(many):
        finish(claimed, Move.fail, fingerprint=fingerprint, error_text=words)
    while error_counts.fold():
        pass
    st.cache_data.clear()  # some seconds later
    return ids


def all_that_match(test: AppTest, act: str) -> AppTest:
    """The same page after a choice from the menu."""
    (menu,) = test.menu_button
    return fine(menu.click(Act(act)).run())


def test_all_that_match_are_cancelled_with_a_reason(page):
    tasks.enqueue_many("greet", [{}] * 120)
    kept = tasks.enqueue("count", {})
    test = all_that_match(page("tasks", type="greet"), "cancel")
    assert "**120** queued will be cancelled" in said(test)
    assert "what comes to match from now on is not touched" in said(test)
    test.text_input(key="confirm_reason").set_value("wrong import")
    fine(test.button(key="confirm_yes").click().run())
    wait_until(lambda: [e for e in events("cancel") if e.entity == "bulk"], what="the end of the act")
    assert (count("status = 'cancelled'"), status(kept)) == (120, [Status.queued])
    (whole,) = [e for e in events("cancel") if e.entity == "bulk"]
    assert (whole.reason, whole.after["filter"]) == ("wrong import", {"type": "greet"})


def test_what_is_held_is_released_together(page):
    parent = tasks.enqueue("count", {})
    held = [tasks.enqueue("greet", {}, needs=[parent], on_parent_failure="hold") for _ in range(3)]
    (claimed,) = take(1)
    finish(claimed, Move.fail)
    test = all_that_match(page("tasks", held="true"), "release")
    assert "**3** are held and will be let go" in said(test)
    assert "Undo holds again those that have not started by then" in said(test)
    test.text_input(key="confirm_reason").set_value("the parent is mended")
    fine(test.button(key="confirm_yes").click().run())
    wait_until(lambda: [e for e in events("release") if e.entity == "bulk"], what="the end of the act")
    assert [tasks.get(one.id).held_reason for one in held] == [None] * 3


def test_a_release_is_taken_back_from_the_page_for_what_has_not_started(page):
    parent = tasks.enqueue("count", {})
    held = [tasks.enqueue("greet", {}, needs=[parent], on_parent_failure="hold").id for _ in range(3)]
    (claimed,) = take(1)
    finish(claimed, Move.fail)
    test = ticked(fine(page("tasks", held="true")), 0, 1, 2)
    test = fine(test.button(key="tasks_Release").click().run())
    test = fine(test.button(key="confirm_yes").click().run())
    wait_until(lambda: [e for e in events("release") if e.entity == "bulk"], what="the end of the act")
    release()
    take(1)
    test.session_state["_bulk_open"] = max(bulk.jobs._jobs)  # a browser's dialog stays open, this one's does not
    test = fine(test.run())
    test = fine(test.button(key="bulk_undo").click().run())
    assert "**2** queued will be held until somebody releases them" in said(test)
    assert "**1** has started or ended by now and is left alone" in said(test)
    assert test.button(key="confirm_yes").label == "Hold 2 tasks"
    fine(test.button(key="confirm_yes").click().run())
    wait_until(lambda: [e for e in events("hold") if e.entity == "bulk"], what="the end of the act")
    assert [tasks.get(i).held_reason for i in held] == [None] + [f"needs #{parent.id}, which failed"] * 2


def test_nothing_is_done_to_all_that_match_without_a_reason(page):
    tasks.enqueue_many("greet", [{}] * 3)
    test = all_that_match(page("tasks"), "cancel")
    fine(test.button(key="confirm_yes").click().run())
    assert count("status = 'cancelled'") == 0


def test_a_second_click_on_the_same_dialog_does_nothing_more(page):
    tasks.enqueue_many("greet", [{}] * 3, priority=20)
    test = all_that_match(page("tasks"), "reprioritise")
    test.number_input(key="confirm_priority").set_value(80)
    test.text_input(key="confirm_reason").set_value("urgent")
    yes = test.button(key="confirm_yes")
    yes.click().run()
    yes.click().run()
    wait_until(lambda: [e for e in events("reprioritise") if e.entity == "bulk"], what="the end of the act")
    assert count("priority = 80") == 3
    assert len([e for e in events("reprioritise") if e.entity == "task"]) == 3


def test_the_priority_s_dry_run_counts_those_that_have_it(page):
    tasks.enqueue_many("greet", [{}] * 2, priority=50)
    tasks.enqueue("greet", {}, priority=70)
    test = all_that_match(page("tasks"), "reprioritise")
    assert "**1** queued will change its place in line" in said(test)
    assert "**2** have that priority already" in said(test)


def test_a_priority_that_all_have_already_cannot_be_set(page):
    tasks.enqueue_many("greet", [{}] * 2, priority=50)
    test = ticked(fine(page("tasks")), 0, 1)
    test = fine(test.button(key="tasks_Set priority").click().run())
    assert "**2** have that priority already" in said(test)
    assert (test.button(key="confirm_yes").label, test.button(key="confirm_yes").disabled) == ("Set priority", True)
    test.session_state["_bulk_open"] = max(bulk.jobs._jobs)  # a browser's dialog stays open, this one's does not
    test.session_state["confirm_priority"] = 70
    test = fine(test.run())
    assert "**2** queued will change their place in line" in said(test)
    assert not test.button(key="confirm_yes").disabled


def test_deleted_tasks_can_only_be_restored(page):
    task = tasks.enqueue("greet", {})
    tasks.cancel(task.id)
    tasks.delete(task.id)
    test = fine(page("tasks", deleted="true"))
    assert list(test.menu_button[0].options) == [":material/restore_from_trash: Restore…"]
    test = ticked(test, 0)
    fine(test.button(key="tasks_Restore").click().run())
    assert "**1** cancelled will be shown again" in said(test)


def test_a_viewer_cannot_act_on_all(page):
    tasks.enqueue("greet", {})
    assert page("tasks", "viewer").menu_button[0].disabled


def test_a_demoted_operator_is_told_before_anything_is_counted(page):
    tasks.enqueue("greet", {})
    test = page("tasks", "operator")
    execute("UPDATE operators SET role = 'viewer' WHERE name = 'operator-1'")
    test = all_that_match(test, "cancel")
    assert "takes the role" in said(test)
    assert count("status = 'cancelled'") == 0


def test_a_view_is_saved_chosen_and_deleted(page, people):
    tasks.enqueue("greet", {}, queue="mail", title=HOSTILE)
    test = fine(page("tasks", "member", queue="mail", status="Queued"))
    test.text_input(key="view_name").set_value("Mail " + HOSTILE[:20])
    fine(test.button(key="view_save_it").click().run())
    with acting_as(people["member"]):
        (view,) = saved_views.list_views()
    assert (view.query, view.shared) == ({"status": ["Queued"], "queue": "mail"}, False)
    harmless(test)
    fine(test.button(key="clear_filters").click().run())
    assert test.session_state["queue"] is None
    fine(test.button(key=f"view_{view.id}").click().run())
    assert (test.session_state["queue"], test.session_state["status"]) == ("mail", ["Queued"])
    fine(test.button(key="view_delete").click().run())
    with acting_as(people["member"]):
        assert saved_views.list_views() == []


def test_a_view_of_what_is_gone_or_nonsense_asks_what_it_says_and_breaks_nothing(page, people):
    with acting_as(people["admin"]):
        view = saved_views.save("Old", {"type": "no_such_type", "status": ["Nonsense"], "created": "x", "more": "y"})
    tasks.enqueue("greet", {})
    test = fine(page("tasks"))
    test = fine(test.button(key=f"view_{view.id}").click().run())
    assert "No task matches these filters." in said(test), "a type that is gone must not widen what is acted on"
    test = fine(test.button(key="show_all").click().run())
    assert test.dataframe


def test_tasks_are_found_by_who_asked_for_them_and_an_unknown_name_is_a_sentence(page, people):
    with acting_as(people["member"]):
        hers = tasks.enqueue("greet", {})
    tasks.enqueue("greet", {})
    (grid,) = fine(page("tasks", by="member-1")).dataframe
    assert list(grid.value["Task"]) == [str(hers.id)]
    test = fine(page("tasks", by=HOSTILE))
    assert "there is no operator" in said(test)
    harmless(test)


def test_errors_say_when_nobody_counts_them(page):
    fail(1)
    assert "No scheduler is alive" in said(fine(page("errors")))
    workers.register("scheduler")
    st.cache_data.clear()
    assert "No scheduler is alive" not in said(fine(page("errors")))


def test_an_address_and_its_words_are_the_same_thing():
    words = {"status": ["Failed", "Queued"], "queue": "mail", "deleted": True, "text": "a&b"}
    again = asked.of_address(asked.address(words))
    assert asked.task_filter(again) == asked.task_filter(words)


def detail(page: Open, role: str = "admin", state: str = "open") -> AppTest:
    """The Errors page with its first line ticked."""
    return ticked(fine(page("errors", role, errors_state=state.capitalize())), 0)


def test_the_errors_page_shows_each_kind_with_its_days(page):
    fail(3)
    fail(1, "f2", HOSTILE)
    test = fine(page("errors"))
    (grid,) = test.dataframe
    assert list(grid.value["Tasks"]) == ["1", "3"]
    assert [sum(days) for days in grid.value["Last 14 days"]] == [1, 3]
    harmless(ticked(test, 0))


def test_a_kind_is_resolved_with_a_note_and_opens_again_by_itself(page):
    fail(1)
    test = detail(page)
    test.text_input(key="errors_note").set_value("mended in 4.2")
    fine(test.button(key="errors_resolved").click().run())
    assert error_groups.counts()[GroupState.resolved] == 1
    assert "No kind of failure is open." in said(page("errors"))
    fail(1)
    test = detail(page)
    assert list(test.dataframe[0].value["State"]) == ["Reopened"]
    assert "It was resolved and failed again" in said(test)
    assert "mended in 4" in said(test)


def test_a_member_decides_nothing(page):
    fail(1)
    test = detail(page, "member")
    assert all(test.button(key=f"errors_{state}").disabled for state in ("resolved", "ignored"))
    assert not test.button(key="errors_rerun").disabled, "their own may be among them"
    assert detail(page, "viewer").button(key="errors_rerun").disabled


def test_a_group_is_rerun_five_first(page):
    ids = fail(8)
    test = detail(page)
    test = fine(test.button(key="errors_rerun").click().run())
    assert "**8** failed will run again" in said(test)
    assert test.button(key="confirm_all").label == "Rerun all 8"
    test.text_input(key="confirm_reason").set_value("the disk is back")
    assert test.button(key="confirm_yes").label == "Rerun 5 first"
    fine(test.button(key="confirm_yes").click().run())
    assert status(*ids) == [Status.queued] * 5 + [Status.failed] * 3
