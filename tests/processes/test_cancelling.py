"""Cancellations and timeouts: at once where a body checks, by force where it does not, whatever it is doing."""

from pathlib import Path

import pytest

from models import Outcome, Status, Task
from services import tasks
from tests.processes import facts, kinds, odd_kinds
from tests.processes.conftest import CANCEL_GRACE_S, STALL_S
from tests.support import one_ledger, wait_until

AT_ONCE_S = 1.0 + STALL_S
BY_FORCE_S = CANCEL_GRACE_S + AT_ONCE_S
FOR_EVER = 2**31 - 1


def cancelled(task_id: int) -> tuple[Task, float]:
    """Cancel what runs; returns the task at its end, and the seconds that took by the ledger."""
    asked_at = tasks.cancel(task_id, reason="enough").cancel_requested_at
    task = facts.ended([task_id])[0]
    assert (task.status, task.cancel_reason) == (Status.cancelled, "enough")
    return task, facts.seconds(task.finished_at, asked_at)


@pytest.mark.usefixtures("valkey")
def test_what_checks_leaves_at_once(worker):
    worker(CANCEL_GRACE_S="60").up()  # by force, it would take as long
    checks, alone = kinds.sleepy.enqueue(seconds=60).id, kinds.alone.enqueue(seconds=60).id
    for task in (checks, alone):
        facts.started(task)
    wait_until(lambda: facts.log_lines(alone), what="the child's first words")
    for task in (checks, alone):
        ended, took = cancelled(task)
        (attempt,) = facts.attempts(task)
        assert took < AT_ONCE_S
        assert (attempt.outcome, attempt.forced) == (Outcome.cancelled, False)
        assert ended.cancel_seen_at is not None
        assert attempt.cancel_seen_at is not None


@one_ledger
def test_what_does_not_check_is_made_to_leave(worker):
    one = worker().up()
    in_c, family = kinds.in_c.enqueue().id, odd_kinds.family.enqueue().id
    for task in (in_c, family):
        facts.started(task)
    wait_until(lambda: facts.log_lines(family), what="the child's first words")
    stubborn = kinds.stubborn.enqueue(seconds=600).id
    facts.started(stubborn)
    for task in (stubborn, in_c):
        ended, took = cancelled(task)
        (attempt,) = facts.attempts(task)
        assert CANCEL_GRACE_S <= took < BY_FORCE_S
        assert (attempt.outcome, attempt.forced, ended.cancel_seen_at) == (Outcome.cancelled, True, None)
    assert cancelled(family)[1] < BY_FORCE_S
    wait_until(lambda: not [p for p in one.descendants() if "sleep" in p.name()], what="the end of the child's child")
    assert facts.completed([kinds.echo.enqueue().id]), "the worker did not survive"


@one_ledger  # on both the services below are tried
def test_a_timeout_counts_from_the_body_and_ends_every_kind_of_it(worker):
    one = worker(ACTOR_MODULES="tests.processes.slow_kinds", WORKER_THREADS="6").up()
    limited = {"retries": 0, "timeout": 1.0}
    bodies = {
        kinds.sleepy: {"seconds": 60}, kinds.stubborn: {}, kinds.alone: {"seconds": 60}, kinds.in_c: {},
    }  # fmt: skip
    late = [kind.with_options(**limited).enqueue(**arguments).id for kind, arguments in bodies.items()]
    in_time = slow_kinds().slow_to_import.with_options(**limited).enqueue()
    for task in facts.ended(late):
        (attempt,) = facts.attempts(task.id)
        assert (task.status, attempt.error_class) == (Status.failed, "TimedOut")
        assert 1.0 <= facts.seconds(attempt.ended_at, attempt.started_at) < 2.5 + STALL_S
        assert task.error == "took longer than its timeout of 1 s"
    facts.completed([in_time.id])  # although its libraries took longer to import than its body may run
    retried = kinds.sleepy.with_options(retries=1, timeout=0.2).enqueue(seconds=60)
    facts.has(retried.id, Status.pending)
    assert facts.outcomes(retried.id) == [Outcome.retried]
    tasks.cancel(retried.id)
    assert one.runs()


def slow_kinds():
    from tests.processes import slow_kinds

    return slow_kinds


def test_what_waits_is_cancelled_at_once_and_never_starts(worker, tmp_path: Path):
    waiting = [kinds.sleepy.enqueue(seconds=0, witness=str(tmp_path / "witness")).id for _ in range(3)]
    child = kinds.echo.with_options(needs=waiting[:1]).enqueue()
    for task in waiting:
        assert tasks.cancel(task).status is Status.cancelled
    assert tasks.get(child.id).status is Status.cancelled
    worker().up()
    facts.completed([kinds.echo.enqueue().id])
    assert not (tmp_path / "witness").exists()
    assert not facts.attempts(waiting[0])


@one_ledger
def test_a_body_stuck_in_c_ends_cancelled_with_its_process_and_its_neighbours_lose_nothing(supervised, tmp_path):
    group = supervised(processes=1, threads=3).up()
    (old,) = group.workers()
    witness = tmp_path / "witness"
    stuck = kinds.in_c_inline.enqueue()
    facts.started(stuck.id)
    short, long = kinds.sleepy.enqueue(seconds=2), kinds.sleepy.enqueue(seconds=4, witness=str(witness))
    facts.started(long.id)
    ended, took = cancelled(stuck.id)
    (attempt,) = facts.attempts(stuck.id)
    assert (attempt.outcome, attempt.forced) == (Outcome.cancelled, True)
    assert took < 2 * BY_FORCE_S + 4
    for task in facts.completed([short.id, long.id]):
        assert (task.losses, task.tries) == (0, 0)
        assert set(facts.outcomes(task.id)) <= {Outcome.handed_back, Outcome.completed}
    group.up()
    assert old not in group.workers()
    assert ended.error is None


@one_ledger
def test_a_timed_out_body_stuck_in_c_costs_its_process_once_and_fails(supervised):
    group = supervised(processes=1, threads=2).up()
    stuck = kinds.in_c_inline.with_options(timeout=0.3).enqueue(rounds=FOR_EVER)
    task = facts.ended([stuck.id])[0]
    assert (task.status, task.error_class, facts.outcomes(stuck.id)) == (Status.failed, "TimedOut", [Outcome.failed])
    assert facts.completed([kinds.echo.enqueue().id])
    assert group.said().count('"program started"') == 2
