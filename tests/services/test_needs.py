"""A task starts when those it needs have ended: once, never before, never stranded."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from models import Move, Status, db
from services import tasks
from services.errors import InvalidInput
from tests.services import kit
from tests.support import examples, wait_until

pytestmark = pytest.mark.usefixtures("core")

MANY = 2_000
ROUNDS = examples(500)


def released(children):
    """How often each child was released: `queued` by the counts that are kept, not by its status alone."""
    assert set(kit.status(*children)) == {Status.queued}
    assert kit.gauges()["greet", "default", "queued"] == len(children)


def test_a_child_waits_for_all_it_needs():
    first, second = kit.greet(), kit.greet()
    child = kit.greet(needs=[first, second], priority=100)
    assert (child.status, child.waits_on) == (Status.pending, 2)
    one, two = kit.take()
    kit.finish(one)
    assert kit.status(child) == [Status.pending]
    kit.finish(two)
    kit.take_one(child)


def pairs(many):
    """(parents, children): each child waits for its two parents."""
    parents, children = tasks.enqueue_many("greet", [{}] * 2 * many), kit.waiting(many)
    kit.wire((child, parent) for n, child in enumerate(children) for parent in parents[2 * n : 2 * n + 2])
    return parents, children


def test_two_parents_that_finish_in_one_batch_release_their_child_once():
    _, children = pairs(300)
    claimed = kit.take(600)
    random.Random(1).shuffle(claimed)
    kit.finish(claimed)
    assert kit.settle_everything() == 1
    released(children)


def test_two_parents_that_finish_together_release_their_child_once():
    parents, children = pairs(ROUNDS)
    claimed = {c.id: c for c in kit.take(2 * ROUNDS)}
    outcomes = kit.race(
        ROUNDS,
        lambda n: kit.finish(claimed[parents[2 * n]]),
        lambda n: kit.finish(claimed[parents[2 * n + 1]]),
    )
    assert outcomes == [[[], []]] * ROUNDS
    released(children)


@pytest.mark.parametrize("order", [1, -1])
def test_a_child_made_while_its_parents_finish_is_never_stuck(order):
    rounds = ROUNDS // 2  # in each order of the two
    parents = tasks.enqueue_many("greet", [{}] * 2 * rounds)
    claimed = [[c1, c2][::order] for c1, c2 in zip(*[iter(kit.take(2 * rounds))] * 2, strict=True)]
    children = []
    outcomes = kit.race(
        rounds,
        lambda n: children.append(kit.greet(needs=parents[2 * n : 2 * n + 2])),
        lambda n: kit.finish(claimed[n]),
    )
    assert [o for o in outcomes if o != [None, []]] == []
    released(children)


@pytest.mark.parametrize("order", [1, -1])
def test_an_enqueue_and_a_batch_that_ends_what_it_needs_do_not_wait_for_one_another(core, order):
    """Both lock the two parents; a third transaction holds one of them until both have come to wait."""
    if core == "sqlite":
        pytest.skip("SQLite has one lock")
    first, second = kit.greet(), kit.greet()
    claimed = kit.take()[::order]
    deadlocks = kit.scalar(DEADLOCKS)
    with ThreadPoolExecutor(2) as threads, db.engine().connect() as other:
        other.exec_driver_sql(f"SELECT id FROM tasks WHERE id = {second.id} FOR UPDATE")
        ended = threads.submit(kit.finish, claimed)
        wait_until(lambda: kit.scalar(WAITING) == 1)
        made = threads.submit(kit.greet, needs=[first, second])
        wait_until(lambda: kit.scalar(WAITING) == 2)
        other.rollback()
        assert ended.result(20) == []
        assert made.result(20).status is Status.queued
    assert kit.scalar(DEADLOCKS) == deadlocks


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def test_a_diamond_runs_in_order():
    top = kit.greet()
    left, right = kit.greet(needs=[top]), kit.greet(needs=[top])
    bottom = kit.greet(needs=[left, right], priority=100)
    kit.finish(kit.take_one(top))
    one, two = kit.take()
    assert [one.id, two.id] == [left.id, right.id]
    kit.finish([two, one])
    kit.take_one(bottom)


def test_one_task_can_gather_thousands():
    parents = tasks.enqueue_many("greet", [{}] * MANY)
    child = kit.greet(needs=parents, priority=100)
    claimed = kit.take(MANY)
    random.Random(2).shuffle(claimed)
    kit.finish(claimed[:1900])
    kit.settle_everything()
    assert (kit.status(child), tasks.get(child.id).waits_on) == ([Status.pending], 100)
    kit.finish(claimed[1900:])
    kit.take_one(child)


def test_thousands_can_wait_for_one_task():
    parent = kit.greet()
    children = tasks.enqueue_many("greet", [{}] * MANY, needs=[parent])
    kit.finish(kit.take_one(parent))
    assert 0 < kit.count("status = 'queued'") <= 500
    assert kit.settle_everything() >= 3
    released(children)


def test_the_rest_is_settled_once_by_several_at_once():
    parent = kit.greet()
    children = tasks.enqueue_many("greet", [{}] * MANY, needs=[parent])
    kit.finish(kit.take_one(parent))
    assert not [o for o in kit.together(*[kit.settle_everything] * 3) if isinstance(o, Exception)]
    kit.settle_everything()
    released(children)


def test_a_cancellation_reaches_the_end_of_a_long_chain():
    chain = [kit.greet().id, *kit.waiting(MANY)]
    kit.wire(zip(chain[1:], chain, strict=False))
    tasks.cancel(chain[0])
    assert kit.settle_everything() == 3
    assert kit.count("status = 'cancelled'") == MANY + 1
    assert tasks.get(chain[-1]).cancel_reason == f"needs #{chain[-2]}, which was cancelled"


@pytest.mark.parametrize("how", ["failed", "was cancelled"])
def test_a_child_does_what_it_was_told_when_its_parent_breaks(how):
    parent = kit.greet()
    told = {policy: kit.greet(needs=[parent], on_parent_failure=policy) for policy in ("cancel", "run_anyway", "hold")}
    claimed = kit.take_one(parent)
    if how == "failed":
        kit.finish(claimed, Move.fail)
    else:
        tasks.cancel(parent.id)
        kit.finish(claimed, Move.stop)
    cancelled, anyway, held = (tasks.get(task.id) for task in told.values())
    why = f"needs #{parent.id}, which {how}"
    assert (cancelled.status, cancelled.cancel_reason) == (Status.cancelled, why)
    assert anyway.status is Status.queued
    assert (held.status, held.held_reason, held.waits_on) == (Status.pending, why, 0)


def test_a_parent_that_is_broken_already_breaks_a_new_child_at_once():
    parent = kit.greet()
    kit.finish(kit.take_one(parent), Move.fail)
    why = f"needs #{parent.id}, which failed"
    cancelled, anyway, held = (
        kit.greet(needs=[parent], on_parent_failure=policy) for policy in ("cancel", "run_anyway", "hold")
    )
    assert (cancelled.status, cancelled.cancel_reason) == (Status.cancelled, why)
    assert anyway.status is Status.queued
    assert (held.status, held.held_reason) == (Status.pending, why)


def test_a_thousand_children_of_a_broken_parent_are_cancelled_at_once():
    parent = kit.greet()
    kit.finish(kit.take_one(parent), Move.fail)
    tasks.enqueue_many("greet", [{}] * 1000, needs=[parent])
    assert kit.count("status = 'cancelled' AND cancel_reason IS NOT NULL") == 1000


def test_a_parent_that_completed_already_is_not_waited_for():
    parent = kit.greet()
    kit.finish(kit.take_one(parent))
    assert kit.greet(needs=[parent]).status is Status.queued


def test_a_failed_parent_cancels_its_grandchildren_that_need_others_too():
    failing, fine = kit.greet(), kit.greet()
    child = kit.greet(needs=[failing])
    grandchild = kit.greet(needs=[child, fine])
    first, second = kit.take()
    kit.finish(first, Move.fail)
    assert kit.status(child, grandchild) == [Status.cancelled] * 2
    kit.finish(second)
    assert kit.status(grandchild) == [Status.cancelled]


def test_cascades_that_cross_do_not_block_one_another():
    """One cascade goes down through what the other already holds."""
    rounds = examples(100)
    tops, below = tasks.enqueue_many("greet", [{}] * 2 * rounds), kit.waiting(3 * rounds)
    for n in range(rounds):
        left, right = tops[2 * n : 2 * n + 2]
        third, fourth, last = below[3 * n : 3 * n + 3]
        kit.wire([(third, left), (last, left), (fourth, third), (fourth, right), (last, fourth)])
    outcomes = kit.race(rounds, lambda n: tasks.cancel(tops[2 * n]), lambda n: tasks.cancel(tops[2 * n + 1]))
    assert [o for both in outcomes for o in both if isinstance(o, Exception)] == []
    assert kit.count("status = 'cancelled'") == 5 * rounds


@pytest.mark.parametrize("needs", [[99], [1, 99], [2]])
def test_unknown_and_future_parents_are_refused(needs):
    kit.greet()
    with pytest.raises(InvalidInput, match=rf"needs: there is no task #{needs[-1]}"):
        kit.greet(needs=needs)
    assert kit.count() == 1


def test_a_deleted_parent_is_unknown():
    parent = kit.greet()
    tasks.cancel(parent.id)
    tasks.delete(parent.id)
    with pytest.raises(InvalidInput, match="there is no task"):
        kit.greet(needs=[parent])
