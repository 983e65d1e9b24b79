"""SIGTERM, however workers were started: what is short finishes, what is long is handed back, nobody loses a try."""

import signal
import sys
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select, text

from models import Outcome, Status, Worker, now, reading, transaction
from services import tasks, workers
from tests.processes import facts, kinds
from tests.processes.conftest import LEASE_S, STALL_S, STOP_GRACE_S
from tests.support import THOROUGH, one_ledger, wait_until

OTHERS = ["supervisor", "dramatiq"]  # ways of starting, beside a process by itself
GRACE_S = 5.0  # long enough for what is short to finish in it on a busy machine
HANDED_BACK_S = 0.75 + STALL_S  # after the grace


def ways(crew, how: str, **env: str):
    """Start two threads in one of the ways there are."""
    if how == "process":
        return crew.worker(by_command=True, WORKER_THREADS="2", **env)
    if how == "supervisor":
        return crew.supervised(processes=1, threads=2, **env)
    command = [sys.executable, "-m", "dramatiq", "tests.processes.kinds", "-p", "1", "-t", "2"]
    return crew.start("dramatiq", command, **env)


@pytest.mark.parametrize(
    ("ledger", "how"),
    [("sqlite", "process"), ("postgresql", "process"), *product(["sqlite", "postgresql"][: 1 + THOROUGH], OTHERS)],
    indirect=["ledger"],
)
def test_at_sigterm_short_tasks_finish_and_long_ones_go_on_elsewhere(crew, how, tmp_path: Path):
    one = ways(crew, how, STOP_GRACE_S=str(GRACE_S)).up()
    short, long = [kinds.waiting.enqueue(gate=str(tmp_path / name)) for name in ("short", "long")]
    for task in (short, long):
        facts.started(task.id)
    asked_at = now()
    one.send(signal.SIGTERM)
    wait_until(draining, what="the drain")
    (tmp_path / "short").touch()
    assert one.wait() == 0
    facts.has(short.id, Status.completed)
    (tmp_path / "long").touch()
    handed_back = facts.has(long.id, Status.queued)
    (attempt,) = facts.attempts(long.id)
    assert attempt.outcome is Outcome.handed_back
    slack = 1.0 if how == "dramatiq" else 0.0  # its main loop looks at its signals once a second
    assert facts.seconds(attempt.ended_at, asked_at) < GRACE_S + HANDED_BACK_S + slack
    assert (handed_back.tries, handed_back.losses, handed_back.cancel_seen_at) == (0, 0, None)
    with reading() as session:
        (row,) = session.execute(select(Worker)).scalars()
    assert row.stop_reason == "asked to stop"
    assert row.draining_at is not None

    crew.worker().up()
    done = facts.completed([long.id])[0]
    assert (done.tries, done.losses) == (0, 0)
    assert facts.outcomes(long.id) == [Outcome.handed_back, Outcome.completed]


@one_ledger
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
    assert facts.seconds(again.started_at, facts.attempts(task.id)[0].ended_at) < 2.0 + STALL_S < LEASE_S
    tasks.cancel(task.id)


@one_ledger
def test_a_body_in_c_does_not_hold_up_the_end_of_its_process(crew):
    for how in ("process", "dramatiq"):
        one = ways(crew, how).up()
        task = kinds.in_c_inline.enqueue()
        facts.started(task.id)
        asked_at = now()
        one.send(signal.SIGTERM)
        assert one.wait() == 0
        assert facts.seconds(now(), asked_at) < STOP_GRACE_S + 6 + STALL_S
        assert facts.has(task.id, Status.queued).losses == 0
        assert tasks.cancel(task.id).status is Status.cancelled


@one_ledger
def test_the_death_of_dramatiqs_master_stops_its_processes_in_good_order(crew):
    one = ways(crew, "dramatiq").up()
    task = kinds.sleepy.enqueue(seconds=60)
    facts.started(task.id)
    one.kill()
    assert facts.has(task.id, Status.queued).losses == 0
    wait_until(lambda: not crew.alive(), what="the end of its processes")


@one_ledger
def test_a_second_sigterm_ends_a_worker_at_once_and_its_task_is_rescued(worker, tmp_path: Path):
    one = worker(STOP_GRACE_S="60").up()
    task = kinds.waiting.enqueue(gate=str(tmp_path / "gate"))
    facts.started(task.id)
    one.send(signal.SIGTERM)
    wait_until(draining, what="the drain")
    asked_at = now()
    one.send(signal.SIGTERM)
    one.wait()
    assert facts.seconds(now(), asked_at) < 1.0 + STALL_S
    (tmp_path / "gate").touch()
    worker().up()
    assert facts.completed([task.id])[0].tries == 0
    assert facts.outcomes(task.id) == [Outcome.lost, Outcome.completed]


def draining() -> bool:
    with reading() as session:
        return any(row.draining_at for row in session.execute(select(Worker)).scalars())


@one_ledger
def test_a_worker_that_an_operator_asks_to_stop_is_replaced_by_a_fresh_one(supervised):
    group = supervised(processes=1, threads=2).up()
    (old,) = workers.alive()
    task = kinds.sleepy.enqueue(seconds=0.5)
    facts.started(task.id)
    workers.request_stop(old.name, "new settings")
    wait_until(lambda: [w.name for w in workers.alive()] not in ([old.name], []), what="a fresh one")
    assert facts.completed([task.id])[0].losses == 0
    assert group.runs()


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_worker_that_cannot_begin_ends_and_says_so(crew):
    with transaction() as session:
        session.execute(text("DROP TABLE types"))
    one = ways(crew, "dramatiq")
    assert one.wait(facts.SLOW_S) != 0
    assert "the worker cannot begin: OperationalError" in one.said()
