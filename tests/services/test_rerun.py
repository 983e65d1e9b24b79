"""Once more: the same task with a fresh budget, or a new one like it."""

import pytest

from models import Move, Outcome, Status, now
from services import tasks
from services.errors import StaleTask
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


def fail(task):
    """Its last try fails."""
    kit.finish(kit.take_one(task), Move.fail)
    return task


def test_a_rerun_starts_with_a_fresh_budget_and_a_higher_epoch():
    task = fail(kit.greet(retries=2))
    kit.execute("UPDATE tasks SET tries = 3, losses = 2")
    tasks.rerun(task.id)
    again = tasks.get(task.id)
    assert (again.status, again.tries, again.losses, again.epoch) == (Status.queued, 0, 0, 1)
    assert (again.error_class, again.finished_at, again.cancel_requested_at) == (None, None, None)
    claimed = kit.take_one(task)
    assert claimed.epoch == 2
    kit.finish(claimed)
    assert kit.status(task) == [Status.completed]


def test_a_cancelled_task_can_be_rerun_and_forgets_its_cancellation():
    task = kit.greet()
    tasks.cancel(task.id, "wrong album")
    again = tasks.rerun(task.id, reason="right after all")
    assert (again.status, again.cancel_reason, again.cancel_requested_at) == (Status.queued, None, None)


def test_a_double_click_reruns_once():
    task = fail(kit.greet())
    both = kit.together(lambda: tasks.rerun(task.id), lambda: tasks.rerun(task.id))
    (refused,) = [o for o in both if isinstance(o, StaleTask)]
    assert str(refused) == f"#{task.id} cannot be rerun: it is queued"
    assert len(kit.events("rerun", task)) == 1


def test_a_completed_task_is_run_again_as_a_new_one():
    task = kit.greet(title="hello", priority=70, tags=["x"], context={"return_path": "/a"}, concurrency_key="k")
    kit.finish(kit.take_one(task))
    with pytest.raises(StaleTask, match="it completed: run it again as a new task"):
        tasks.rerun(task.id)
    new = tasks.run_again(task.id, priority=80)
    assert (new.rerun_of, new.title, new.priority, new.tags) == (task.id, "hello", 80, ["x"])
    assert (new.concurrency_key, new.status) == ("k", Status.queued)
    assert new.body.payload == task.body.payload
    assert new.body.context == {"return_path": "/a"}
    assert tasks.run_again(task.id, payload={"name": "porto"}).body.payload["name"] == "porto"
    assert kit.status(task) == [Status.completed]


def test_a_deleted_task_is_restored_before_it_is_rerun():
    task = fail(kit.greet())
    tasks.delete(task.id)
    with pytest.raises(StaleTask, match="it is deleted; restore it first"):
        tasks.rerun(task.id)
    tasks.restore(task.id)
    assert tasks.rerun(task.id).status is Status.queued


def test_a_taken_unique_key_refuses_a_rerun_by_name():
    task = fail(kit.greet(unique_key="porto"))
    other = kit.greet(unique_key="porto")
    with pytest.raises(StaleTask, match=f"another live task, #{other.id}, has its unique key 'porto'"):
        tasks.rerun(task.id)
    assert kit.status(task) == [Status.failed]
    assert kit.events("rerun") == []


def test_a_dependents_taken_key_refuses_the_whole_rerun():
    task = kit.greet()
    child = kit.greet(needs=[task], unique_key="porto")
    fail(task)
    other = kit.greet(unique_key="porto")
    with pytest.raises(StaleTask, match=f"#{child.id} cannot be rerun: another live task, #{other.id}"):
        tasks.rerun(task.id, dependents=True)
    assert kit.status(task, child) == [Status.failed, Status.cancelled]


def test_without_dependents_only_the_task_itself_comes_back():
    task = kit.greet()
    child = kit.greet(needs=[task])
    fail(task)
    tasks.rerun(task.id)
    assert kit.status(task, child) == [Status.queued, Status.cancelled]


def test_dependents_come_back_and_wait_again():
    task = kit.greet()
    child, held = kit.greet(needs=[task]), kit.greet(needs=[task], on_parent_failure="hold")
    grandchild = kit.greet(needs=[child])
    by_hand = kit.greet(needs=[task])
    tasks.cancel(by_hand.id, "not this one")
    fail(task)
    tasks.rerun(task.id, dependents=True)
    assert kit.status(task, child, held, grandchild) == [Status.queued] + [Status.pending] * 3
    assert kit.status(by_hand) == [Status.cancelled]
    assert tasks.get(held.id).held_reason is None
    kit.finish(kit.take_one(task))
    assert kit.status(child, held, grandchild) == [Status.queued, Status.queued, Status.pending]
    kit.run_all()
    assert kit.status(grandchild) == [Status.completed]


def test_a_dependent_of_two_that_come_back_waits_for_both():
    task = kit.greet()
    left, right = kit.greet(needs=[task]), kit.greet(needs=[task])
    last = kit.greet(needs=[left, right])
    fail(task)
    tasks.rerun(task.id, dependents=True)
    kit.finish(kit.take_one(task))
    one, two = kit.take()
    assert {one.id, two.id} == {left.id, right.id}
    kit.finish(two)
    assert kit.status(last) == [Status.pending]
    kit.finish(one)
    kit.take_one(last)


def test_a_dependent_that_another_failure_keeps_back_stays_until_that_is_mended_too():
    first, second = kit.greet(priority=60), kit.greet()
    child = kit.greet(needs=[first, second])
    fail(first)
    fail(second)
    tasks.rerun(second.id, dependents=True)
    assert kit.status(child) == [Status.cancelled]
    tasks.rerun(first.id, dependents=True)
    waiting = tasks.get(child.id)
    assert (waiting.status, waiting.waits_on) == (Status.pending, 2)
    kit.run_all()
    assert kit.status(child) == [Status.completed]


def test_a_long_chain_comes_back_as_one():
    chain = [kit.greet().id, *kit.waiting(2_000)]
    kit.wire(zip(chain[1:], chain, strict=False))
    kit.finish(kit.take(1), Move.fail)
    kit.settle_everything()
    assert kit.count("status = 'cancelled'") == 2_000
    tasks.rerun(chain[0], dependents=True)
    assert kit.count("status = 'pending' AND waits_on = 1") == 2_000
    assert kit.status(chain[0]) == [Status.queued]


def test_a_rerun_before_its_first_ending_reached_all_children_spares_the_rest():
    task = kit.greet()
    children = tasks.enqueue_many("greet", [{}] * 1_200, needs=[task])
    fail(task)
    struck = kit.count("status = 'cancelled'")
    assert 0 < struck < 1_200
    tasks.rerun(task.id, dependents=True)
    kit.settle_everything()
    assert kit.count("status = 'pending' AND waits_on = 1") == len(children)
    kit.finish(kit.take_one(task))
    kit.settle_everything()
    assert kit.count("status = 'queued'") == len(children)


def test_a_task_cancelled_while_its_parents_news_is_on_the_way_can_be_rerun():
    """Its edge is open though the parent has ended: it must not be told twice."""
    parent = kit.greet()
    children = tasks.enqueue_many("greet", [{}] * 600, needs=[parent])
    kit.finish(kit.take_one(parent))
    late = children[-1]
    assert kit.status(late) == [Status.pending]
    tasks.cancel(late)
    assert tasks.rerun(late).status is Status.queued
    kit.settle_everything()
    assert tasks.get(late).waits_on == 0


def test_a_childs_rerun_waits_for_a_parent_that_is_on_its_way_again():
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    fail(parent)
    tasks.rerun(parent.id)
    tasks.rerun(child.id)
    assert kit.status(parent, child) == [Status.queued, Status.pending]
    kit.run_all()
    assert kit.status(parent, child) == [Status.completed] * 2


def test_a_rerun_of_a_child_of_a_failed_parent_runs_without_it():
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    fail(parent)
    assert tasks.rerun(child.id).status is Status.queued


def test_a_late_ending_of_the_first_run_does_not_end_the_rerun():
    task = kit.greet()
    claimed = kit.take_one(task)
    kit.finish(claimed, Move.fail)
    tasks.rerun(task.id)
    kit.take_one(task)
    late = kit.finish(claimed)
    assert [e.outcome for e in late] == [Outcome.completed]
    assert kit.status(task) == [Status.running]


def test_an_expiry_in_the_past_does_not_end_the_rerun():
    task = fail(kit.greet())
    kit.execute("UPDATE tasks SET expires_at = :at", at=str(now()))
    assert tasks.rerun(task.id).expires_at is None
    kit.take_one(task)
