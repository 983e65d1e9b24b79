"""SIGTERM, however workers were started: what is short finishes, what is long is handed back, nobody loses a try."""

import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text

from models import Outcome, Status, Worker, now, reading, transaction
from services import tasks, workers
from tests.processes import facts, kinds
from tests.processes.conftest import STOP_GRACE_S
from tests.support import wait_until

HANDED_BACK_S = STOP_GRACE_S + 0.75


def ways(crew, how: str):
    """Start two threads in one of the ways there are."""
    if how == "process":
        return crew.worker(WORKER_THREADS="2")
    if how == "supervisor":
        return crew.supervised(processes=1, threads=2)
    command = [sys.executable, "-m", "dramatiq", "tests.processes.kinds", "-p", "1", "-t", "2"]
    return crew.start("dramatiq", command)


@pytest.mark.parametrize("how", ["process", "supervisor", "dramatiq"])
def test_at_sigterm_short_tasks_finish_and_long_ones_go_on_elsewhere(crew, how, tmp_path: Path):
    one = ways(crew, how).up()
    short, long = kinds.sleepy.enqueue(seconds=0.5), kinds.sleepy.enqueue(seconds=3, witness=str(tmp_path / "w"))
    for task in (short, long):
        facts.started(task.id)
    asked_at = now()
    one.send(signal.SIGTERM)
    assert one.wait() == 0
    finished = facts.has(short.id, Status.completed)
    assert facts.seconds(finished.finished_at, asked_at) < STOP_GRACE_S
    handed_back = facts.has(long.id, Status.queued)
    (attempt,) = facts.attempts(long.id)
    assert attempt.outcome is Outcome.handed_back
    slack = 1.0 if how == "dramatiq" else 0.0  # its main loop looks at its signals once a second
    assert facts.seconds(attempt.ended_at, asked_at) < HANDED_BACK_S + slack
    assert (handed_back.tries, handed_back.losses, handed_back.cancel_seen_at) == (0, 0, None)
    with reading() as session:
        (row,) = session.execute(select(Worker)).scalars()
    assert row.stop_reason == "asked to stop"
    assert row.draining_at is not None

    ways(crew, "process").up()
    done = facts.completed([long.id])[0]
    assert (done.tries, done.losses) == (0, 0)
    assert facts.outcomes(long.id) == [Outcome.handed_back, Outcome.completed]


def test_what_a_stopping_worker_hands_back_runs_elsewhere_within_two_seconds(worker):
    both = [worker(), worker()]
    for one in both:
        one.up()
    task = kinds.sleepy.enqueue(seconds=60, checks=False)
    first = facts.started(task.id).worker
    next(one for one in both if f"-{one.pid}-" in first).send(signal.SIGTERM)
    wait_until(lambda: facts.attempts(task.id), what="the hand-back")
    again = facts.started(task.id)
    assert again.worker != first
    assert facts.seconds(again.started_at, facts.attempts(task.id)[0].ended_at) < 2.0
    tasks.cancel(task.id)


def test_a_body_in_c_does_not_hold_up_the_end_of_its_process(crew):
    for how in ("process", "dramatiq"):
        one = ways(crew, how).up()
        task = kinds.in_c_inline.enqueue()
        facts.started(task.id)
        asked_at = now()
        one.send(signal.SIGTERM)
        assert one.wait(15) == 0
        assert facts.seconds(now(), asked_at) < STOP_GRACE_S + 6
        assert facts.has(task.id, Status.queued).losses == 0
        assert tasks.cancel(task.id).status is Status.cancelled


def test_the_death_of_dramatiqs_master_stops_its_processes_in_good_order(crew):
    one = ways(crew, "dramatiq").up()
    task = kinds.sleepy.enqueue(seconds=60)
    facts.started(task.id)
    one.kill()
    assert facts.has(task.id, Status.queued).losses == 0
    wait_until(lambda: not crew.alive(), what="the end of its processes")


def test_a_second_sigterm_ends_a_worker_at_once_and_its_task_is_rescued(worker):
    one = worker().up()
    task = kinds.sleepy.enqueue(seconds=1.5)
    facts.started(task.id)
    one.send(signal.SIGTERM)
    wait_until(draining, what="the drain")
    asked_at = now()
    one.send(signal.SIGTERM)
    one.wait(5)
    assert facts.seconds(now(), asked_at) < 1.0
    worker().up()
    assert facts.completed([task.id])[0].tries == 0
    assert facts.outcomes(task.id) == [Outcome.lost, Outcome.completed]


def draining() -> bool:
    with reading() as session:
        return any(row.draining_at for row in session.execute(select(Worker)).scalars())


def test_a_worker_that_an_operator_asks_to_stop_is_replaced_by_a_fresh_one(supervised):
    group = supervised(processes=1, threads=2).up()
    (old,) = workers.alive()
    task = kinds.sleepy.enqueue(seconds=0.5)
    facts.started(task.id)
    workers.request_stop(old.name, "new settings")
    wait_until(lambda: [w.name for w in workers.alive()] not in ([old.name], []), timeout=30, what="a fresh one")
    assert facts.completed([task.id])[0].losses == 0
    assert group.runs()


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_worker_that_cannot_begin_ends_and_says_so(crew):
    with transaction() as session:
        session.execute(text("DROP TABLE types"))
    one = ways(crew, "dramatiq")
    assert one.wait(facts.SLOW_S) != 0
    assert "the worker cannot begin: OperationalError" in one.said()
