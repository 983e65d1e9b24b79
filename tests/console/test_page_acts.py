"""What people do on pages: cancelling, running, pausing, each as somebody who may."""

from models import Status
from services import queues, tasks
from services.audit import acting_as
from tests.console.kit import fine, said, ticked
from tests.services.kit import events, execute, status
from tests.support import one_ledger

pytestmark = one_ledger


def test_ticked_tasks_are_cancelled_after_a_dry_run_with_a_result_for_each(page, people):
    made = [tasks.enqueue("greet", {}) for _ in range(3)]
    test = ticked(page("tasks"), 0, 1)
    test = fine(test.button(key="tasks_Cancel").click().run())
    assert "**2** queued will be cancelled" in said(test)
    tasks.cancel(made[2].id)  # by somebody else, meanwhile
    test.text_input(key="confirm_reason").set_value("wrong album")
    fine(test.button(key="confirm_yes").click().run())
    assert status(*made) == [Status.queued, Status.cancelled, Status.cancelled]
    (event,) = events("cancel", made[1])
    assert (event.actor_kind, event.actor_id, event.reason) == ("operator", "admin-1", "wrong album")
    assert (event.ip, event.user_agent) == ("10.0.0.7", "Firefox/150")


def test_a_demoted_operator_s_click_changes_nothing(page, people):
    task = tasks.enqueue("greet", {})
    test = ticked(page("tasks", "operator"), 0)
    test = fine(test.button(key="tasks_Cancel").click().run())
    execute("UPDATE operators SET role = 'viewer' WHERE name = 'operator-1'")
    fine(test.button(key="confirm_yes").click().run())
    assert status(task) == [Status.queued]


def test_a_priority_that_a_task_has_already_cannot_be_set(page):
    task = tasks.enqueue("greet", {}, priority=50)
    test = fine(page("task", id=str(task.id)).button(key="task_Set priority").click().run())
    assert "It has the priority 50 already" in said(test)
    assert test.button(key="confirm_yes").disabled
    test.session_state["_confirm_asked"] = ("Set priority", task.id)  # a browser's dialog stays open
    test.session_state["confirm_priority"] = 70
    assert not fine(test.run()).button(key="confirm_yes").disabled


def test_a_member_acts_on_their_own_tasks_alone(page, people):
    with acting_as(people["member"]):
        own = tasks.enqueue("greet", {})
    other = tasks.enqueue("greet", {})
    assert not page("task", "member", id=str(own.id)).button(key="task_Cancel").disabled
    assert page("task", "member", id=str(other.id)).button(key="task_Cancel").disabled


def test_a_task_is_run_from_the_form_with_what_was_typed(page, people):
    test = fine(page("run", "member", run_type="greet"))
    test.text_input(key="run/greet/0/name").set_value("porto")
    test.number_input(key="run/greet/0/n").set_value(7)
    test.text_input(key="run/greet/0#title").set_value("From the form")
    test.run()
    fine(test.button(key="run_it").click().run())
    (task,) = [tasks.get(i) for i in (1,)]
    assert (task.title, task.owner, task.created_by_kind) == (
        "From the form",
        people["member"].id,
        "operator",
    )
    assert task.body.payload == {"name": "porto", "n": 7, "ratio": 0.5, "data": None}


def test_a_task_is_run_again_with_edited_arguments(page):
    old = tasks.enqueue("greet", {"name": "lisbon", "n": 3}, title="First", priority=80)
    test = fine(page("run", again=str(old.id)))
    assert test.text_input(key=f"run/greet/{old.id}/name").value == "lisbon"
    test.text_input(key=f"run/greet/{old.id}/name").set_value("porto").run()
    fine(test.button(key="run_it").click().run())
    again = tasks.get((old.id or 0) + 1)
    assert (again.rerun_of, again.title, again.priority) == (old.id, "First", 80)
    assert again.body.payload["name"] == "porto"
    assert again.body.payload["n"] == 3


def test_a_queue_is_paused_with_a_reason(page, people):
    tasks.enqueue("greet", {})
    test = fine(page("workers", "operator"))
    test = fine(test.button(key="Pause_default").click().run())
    test.text_input(key="ask_reason").set_value("The disk is full")
    fine(test.button(key="ask_yes").click().run())
    state = queues.get("default")
    assert (state.paused, state.pause_reason, state.paused_by) == (
        True,
        "The disk is full",
        "operator:operator-1",
    )
