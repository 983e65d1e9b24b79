"""Cancelling what waits is immediate and final; what runs is asked; what has ended stays as it is."""

import pytest

from models import Move, Status
from services import tasks
from services.errors import InvalidInput, NotFound, StaleTask
from tests.services import kit
from tests.support import examples

pytestmark = pytest.mark.usefixtures("core")

ROUNDS = examples(500)


def test_a_waiting_task_is_cancelled_at_once():
    task = tasks.cancel(kit.greet().id, "wrong album")
    assert (task.status, task.cancel_reason, task.cancel_requested_by) == (Status.cancelled, "wrong album", "api")
    assert task.finished_at is not None
    assert kit.take() == []


def test_a_running_task_is_asked_and_ends_by_its_own_ending():
    task = kit.greet()
    claimed = kit.take_one(task)
    asked = tasks.cancel(task.id)
    assert (asked.status, asked.cancel_requested_at is not None) == (Status.running, True)
    again = tasks.cancel(task.id, "once more")
    assert (again.cancel_requested_at, again.cancel_reason) == (asked.cancel_requested_at, None)
    assert kit.finish(claimed, Move.stop) == []
    assert kit.status(task) == [Status.cancelled]


def test_a_completion_that_was_faster_than_the_request_stays():
    task = kit.greet()
    claimed = kit.take_one(task)
    tasks.cancel(task.id)
    kit.finish(claimed)
    assert kit.status(task) == [Status.completed]


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.stop])
def test_what_has_ended_cannot_be_cancelled(move):
    task = kit.greet()
    kit.finish(kit.take_one(task), move)
    ended = tasks.get(task.id)
    with pytest.raises(StaleTask, match=f"#{task.id} is already {ended.status.value}, so there is nothing to cancel"):
        tasks.cancel(task.id)
    assert tasks.get(task.id) == ended


@pytest.mark.parametrize("wrong", [0, -1, "1", 1.0, True, None, 2**63, 10**30, "'; DROP TABLE tasks; --"])
def test_an_id_that_cannot_be_is_refused(wrong):
    for act in (tasks.get, tasks.cancel, tasks.rerun, tasks.run_again, tasks.release, tasks.delete, tasks.logs):
        with pytest.raises(InvalidInput, match="^id: "):
            act(wrong)
    with pytest.raises(NotFound, match="there is no task #7"):
        tasks.cancel(7)


def test_a_cancellation_and_a_claim_have_one_outcome():
    ids = tasks.enqueue_many("greet", [{}] * ROUNDS)
    outcomes = kit.race(ROUNDS, lambda n: tasks.cancel(ids[n]), lambda _: kit.take(1))
    assert not [o for both in outcomes for o in both if isinstance(o, Exception)]
    claimed = {c.id for _, got in outcomes for c in got}
    for i, status in zip(ids, kit.status(*ids), strict=True):
        assert status is (Status.running if i in claimed else Status.cancelled)
    assert kit.count("status = 'running' AND cancel_requested_at IS NULL") == 0, "a cancellation was lost"


def test_a_cancellation_and_a_completion_have_one_outcome():
    ids = tasks.enqueue_many("greet", [{}] * ROUNDS)
    endings = [kit.ending(c) for c in kit.take(ROUNDS)]
    outcomes = kit.race(ROUNDS, lambda n: tasks.cancel(ids[n]), lambda n: kit.commit(endings[n]))
    assert kit.status(*ids) == [Status.completed] * ROUNDS
    for cancelled, fenced in outcomes:
        assert fenced == []
        assert isinstance(cancelled, StaleTask) or cancelled.status is Status.running


def test_a_cancellation_and_a_hand_back_leave_nothing_running():
    ids = tasks.enqueue_many("greet", [{}] * ROUNDS)
    endings = [kit.ending(c, Move.hand_back) for c in kit.take(ROUNDS)]
    kit.race(ROUNDS, lambda n: tasks.cancel(ids[n]), lambda n: kit.commit(endings[n]))
    assert kit.status(*ids) == [Status.cancelled] * ROUNDS


def test_two_who_cancel_at_once_are_told_apart():
    ids = tasks.enqueue_many("greet", [{}] * 50)
    for both in kit.race(50, *[lambda n: tasks.cancel(ids[n])] * 2):
        assert sorted(type(o).__name__ for o in both) == ["StaleTask", "Task"]
    assert len(kit.events("cancel")) == 50
