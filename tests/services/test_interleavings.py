"""Two at once, crossed at every statement of either: whatever the order, one outcome, and nobody is left behind.

A claim and a plain enqueue are one statement, which commits by itself: they are crossed inside of it, too.

On PostgreSQL: on SQLite a transaction that writes holds the only write lock from its beginning, so that nothing comes
between its statements.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from models import Move, Status, Task, TaskLog, now, transaction
from runtime.beat import _extension
from services import folding, retention, tasks
from services.errors import ServiceError, StaleTask
from services.lifecycle import limits, mend, rescue
from services.lifecycle.batch import stamp
from services.lifecycle.release import release
from tests.services import kit
from tests.services.steps import crossed, gated

pytestmark = [
    pytest.mark.parametrize("ledger", ["postgresql"], indirect=True),
    pytest.mark.usefixtures("no_disk"),
]


Acts = tuple[Callable[[], Any], Callable[[], Any], Callable[[Any, Any], None]]


def running(**options) -> Any:
    """A task that runs; its claim."""
    return kit.take_one(kit.greet(priority=100, **options))


def is_(task_id: int, *wanted: Status) -> Status:
    (status,) = kit.status(task_id)
    assert status in wanted
    return status


def complete_and_cancel() -> Acts:
    claim = running()

    def right(*_) -> None:
        is_(claim.id, Status.completed)

    return lambda: kit.finish(claim), lambda: refusable(tasks.cancel, claim.id), right


def complete_twice() -> Acts:
    claim = running()

    def right(one, other) -> None:
        assert len(one) + len(other) == 1, "one of them is fenced"
        is_(claim.id, Status.completed)

    return lambda: kit.finish(claim), lambda: kit.finish(claim), right


def complete_and_rescue() -> Acts:
    claim = running(concurrency_key="k")
    child = kit.greet(needs=[claim.id])

    def right(fenced, taken) -> None:
        assert len(fenced) == taken, "either it ends, or it is taken back"
        is_(claim.id, Status.queued if taken else Status.completed)
        is_(child.id, Status.pending if taken else Status.queued)

    return lambda: kit.finish(claim), lambda: rescue.bury("w", None, "it died"), right


def complete_two_and_rescue_one() -> Acts:
    """In one statement, unless one of them was taken back."""
    claim, (mine,) = running(), kit.take(1, "a", queues=[kit.greet(queue="mail").queue])
    child = kit.greet(needs=[claim.id, mine.id])

    def right(fenced, taken) -> None:
        assert [e.task_id for e in fenced] == [mine.id] * taken, "either it ends, or it is taken back"
        is_(claim.id, Status.completed)
        is_(mine.id, Status.queued if taken else Status.completed)
        is_(child.id, Status.pending if taken else Status.queued)
        assert results_of(mine.id) == (0 if taken else 1)

    return lambda: kit.finish([claim, mine]), lambda: rescue.bury("a", None, "it died"), right


def results_of(task_id: int) -> int:
    return kit.scalar("SELECT count(result) FROM task_bodies WHERE task_id = :id", id=task_id)


def complete_two_twice() -> Acts:
    """In any order, of which the database makes one."""
    claims = [running(), running()]

    def right(one, other) -> None:
        assert sorted((len(one), len(other))) == [0, 2], "one of them is fenced, for both"
        for claim in claims:
            is_(claim.id, Status.completed)

    return lambda: kit.finish(claims), lambda: kit.finish(claims[::-1]), right


def complete_and_beat() -> Acts:
    claim = running()

    def beat() -> int:
        with transaction() as session:
            return len(session.execute(_extension(), {"process": "w", "until": now()}).all())

    def right(fenced, _) -> None:
        assert not fenced, "a beat takes nothing away"
        is_(claim.id, Status.completed)

    return lambda: kit.finish(claim), beat, right


def cancel_and_rescue() -> Acts:
    claim = running()

    def right(*_) -> None:
        rescue.bury("w", None, "it died")  # who met a cancellation under way has left it to the next
        is_(claim.id, Status.cancelled)

    return lambda: tasks.cancel(claim.id), lambda: rescue.bury("w", None, "it died"), right


def rescue_twice() -> Acts:
    claim = running()

    def right(one, other) -> None:
        assert one + other == 1
        assert tasks.get(claim.id).losses == 1

    return lambda: rescue.bury("w", None, "it died"), lambda: rescue.bury("w", None, "it died"), right


def two_parents_end() -> Acts:
    one, other = running(), running()
    child = kit.greet(needs=[one.id, other.id])

    def right(*_) -> None:
        is_(child.id, Status.queued)

    return lambda: kit.finish(one), lambda: kit.finish(other), right


def one_parent_ends_and_one_breaks() -> Acts:
    one, other = running(), running()
    child = kit.greet(needs=[one.id, other.id])
    grandchild = kit.greet(needs=[child, one.id])

    def right(*_) -> None:
        is_(child.id, Status.cancelled)
        is_(grandchild.id, Status.cancelled)

    return lambda: kit.finish(one), lambda: kit.finish(other, Move.fail), right


def complete_and_enqueue_a_child() -> Acts:
    claim = running()

    def right(_, child) -> None:
        is_(child.id, Status.queued)

    return lambda: kit.finish(claim), lambda: kit.greet(needs=[claim.id]), right


def fail_and_enqueue_a_child() -> Acts:
    claim = running()

    def right(_, child) -> None:
        is_(child.id, Status.cancelled)

    return lambda: kit.finish(claim, Move.fail), lambda: kit.greet(needs=[claim.id]), right


def cancel_and_enqueue_a_child() -> Acts:
    task = kit.greet()

    def right(_, child) -> None:
        is_(child.id, Status.cancelled)

    return lambda: tasks.cancel(task.id), lambda: kit.greet(needs=[task.id]), right


def cancel_and_claim() -> Acts:
    task = kit.greet(priority=100)

    def right(cancelled, claimed) -> None:
        mine = [c for c in claimed if c.id == task.id]
        assert is_(task.id, Status.cancelled, Status.running) is (Status.running if mine else Status.cancelled)
        assert tasks.get(task.id).cancel_requested_at is not None

    return lambda: tasks.cancel(task.id), lambda: kit.take(1), right


def claim_twice() -> Acts:
    task = kit.greet()

    def right(one, other) -> None:
        assert [c.id for c in (*one, *other)] == [task.id]

    return lambda: kit.take(5, "a"), lambda: kit.take(5, "b"), right


def claim_and_take_and_give_back() -> Acts:
    """It is in line before and after, and another attempt."""
    task = kit.greet(priority=100)

    def give_back() -> Any:
        taken = kit.take(1, "a")
        kit.finish(taken, Move.hand_back)
        return taken

    def right(claimed, taken) -> None:
        epochs = [c.epoch for c in (*claimed, *taken)]
        assert len(set(epochs)) == len(epochs), "two attempts of one number"
        is_(task.id, Status.running if claimed else Status.queued)

    return lambda: kit.take(1, "b"), give_back, right


def claim_of_one_key() -> Acts:
    kit.greet(concurrency_key="k"), kit.greet(concurrency_key="k")

    def right(one, other) -> None:
        assert len(one) + len(other) == 1

    return lambda: kit.take(5, "a"), lambda: kit.take(5, "b"), right


def end_and_claim_of_one_key() -> Acts:
    claim = running(concurrency_key="k")
    after = kit.greet(concurrency_key="k")

    def right(_, claimed) -> None:
        is_(after.id, Status.running if claimed else Status.queued)

    return lambda: kit.finish(claim), lambda: kit.take(5), right


def claim_of_a_limited_queue() -> Acts:
    kit.greet(queue="narrow"), kit.greet(queue="narrow")
    kit.execute("UPDATE queues SET max_running = 1 WHERE name = 'narrow'")

    def right(one, other) -> None:
        assert len(one) + len(other) == 1

    return lambda: kit.take(5, "a"), lambda: kit.take(5, "b"), right


def one_unique_key() -> Acts:
    def right(one, other) -> None:
        assert one.id == other.id
        assert {one.deduplicated, other.deduplicated} == {True, False}

    return lambda: kit.greet(unique_key="u"), lambda: kit.greet(unique_key="u"), right


def end_and_enqueue_of_one_unique_key() -> Acts:
    claim = running(unique_key="u")

    def right(_, task) -> None:
        is_(claim.id, Status.completed)
        assert task.deduplicated == (task.id == claim.id)

    return lambda: kit.finish(claim), lambda: kit.greet(unique_key="u"), right


def release_and_cancel() -> Acts:
    task = kit.greet(run_at=now() + timedelta(hours=1))
    kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stamp(now()), id=task.id)

    def right(*_) -> None:
        is_(task.id, Status.cancelled)

    return release, lambda: tasks.cancel(task.id), right


def rerun_twice() -> Acts:
    claim = running()
    kit.finish(claim, Move.fail)

    def right(*results) -> None:
        assert sum(isinstance(r, StaleTask) for r in results) == 1
        is_(claim.id, Status.queued)

    return lambda: refusable(tasks.rerun, claim.id), lambda: refusable(tasks.rerun, claim.id), right


def rerun_and_enqueue_a_child() -> Acts:
    claim = running()
    kit.finish(claim, Move.fail)

    def right(_, child) -> None:
        is_(claim.id, Status.queued)
        is_(child.id, Status.pending, Status.cancelled)

    return lambda: tasks.rerun(claim.id, dependents=True), lambda: kit.greet(needs=[claim.id]), right


def old(move: Move) -> Task:
    """A task that ended long ago, with a line of log."""
    task = kit.greet(priority=100)
    kit.finish(kit.take_one(task), move)
    kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :id", at=stamp(now() - timedelta(days=500)), id=task.id)
    with transaction() as session:
        session.add(TaskLog(task_id=task.id, epoch=1, seq=1, at=now(), message="hello"))
    return task


def purge_and_enqueue_a_child() -> Acts:
    task = old(Move.complete)

    def right(_, child) -> None:
        if not isinstance(child, ServiceError):
            assert tasks.get(task.id), "what it needs was deleted"
            assert tasks.logs(task.id), "its log was deleted"

    return retention.purge_tasks, lambda: refusable(kit.greet, needs=[task.id]), right


def purge_and_rerun() -> Acts:
    task = old(Move.fail)

    def right(_, rerun) -> None:
        if isinstance(rerun, ServiceError):
            assert not kit.count("id = :id", id=task.id), "neither kept nor run again"
        else:
            is_(task.id, Status.queued)
            assert tasks.get(task.id).body.payload["name"] == "world", "its body was deleted"
            assert tasks.logs(task.id), "its log was deleted"

    return retention.purge_tasks, lambda: refusable(tasks.rerun, task.id), right


def fold_twice() -> Acts:
    kit.finish(running())
    return folding.fold, folding.fold, lambda *_: None


def recount_and_complete() -> Acts:
    claim = running()
    child = kit.greet(needs=[claim.id])
    kit.execute("UPDATE tasks SET waits_on = 7 WHERE id = :id", id=child.id)

    def recount() -> None:
        with transaction() as session:
            mend.recount_needs(session, [child.id])

    def right(*_) -> None:
        release()
        is_(child.id, Status.queued)

    return recount, lambda: kit.finish(claim), right


def refusable(act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What it returns, or the refusal."""
    try:
        return act(*arguments, **named)
    except ServiceError as refusal:
        return refusal


SITUATIONS = [
    complete_and_cancel, complete_twice, complete_and_rescue, complete_two_and_rescue_one, complete_two_twice,
    complete_and_beat, cancel_and_rescue, rescue_twice, two_parents_end, one_parent_ends_and_one_breaks,
    complete_and_enqueue_a_child, fail_and_enqueue_a_child, cancel_and_enqueue_a_child, cancel_and_claim,
    claim_twice, claim_and_take_and_give_back, claim_of_one_key, end_and_claim_of_one_key, claim_of_a_limited_queue,
    one_unique_key, end_and_enqueue_of_one_unique_key, release_and_cancel, rerun_twice, rerun_and_enqueue_a_child,
    purge_and_enqueue_a_child, purge_and_rerun, fold_twice, recount_and_complete,
]  # fmt: skip
ALIKE = {complete_twice, rescue_twice, claim_twice, claim_of_one_key, claim_of_a_limited_queue, one_unique_key}
ALIKE |= {complete_two_twice, rerun_twice, fold_twice, two_parents_end}


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
def test_whoever_comes_between_two_statements_there_is_one_outcome(core, situation):
    with gated():
        cross(situation)


def cross(situation: Callable[[], Acts]) -> None:
    for swapped in (False,) if situation in ALIKE else (False, True):
        for n in count(1):
            limits.forget()
            first, second, right = situation()
            held_up, other = (second, first) if swapped else (first, second)
            done = crossed(n, held_up, other)
            last = done is None  # it has fewer statements, and is done: the other follows
            if last:
                done = (None, other())
            for result in done:
                assert not isinstance(result, Exception) or isinstance(result, ServiceError), repr(result)
            if not last:
                right(*(done[::-1] if swapped else done))
            clear_away()
            if last:
                break
        kit.assert_sound()
        assert n > 2, "there was nothing between two statements"


def clear_away() -> None:
    """Everything comes to an end, so that the next round has the ledger to itself."""
    for worker in ("w", "a", "b"):
        if kit.count("worker = :worker", worker=worker):
            rescue.bury(worker, set(), "over")
    release()
    kit.run_all()
    assert not kit.count("finished_at IS NULL"), "somebody is left behind"
