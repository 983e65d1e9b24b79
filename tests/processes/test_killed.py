"""Workers that die without a word: their tasks run again, once each, and nobody else loses anything."""

import os
import signal
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest

from models import Outcome, Status, now, transaction
from services import tasks
from tests.processes import facts, kinds, odd_kinds
from tests.processes.conftest import LEASE_S, SHORT_LEASE_S, SHORT_LEASES, STALL_S
from tests.support import one_ledger, wait_until


def lines(witness: Path) -> list[list[str]]:
    return [line.split() for line in witness.read_text().splitlines()] if witness.exists() else []


def takers_of_quick_tasks() -> int:
    done = facts.completed(kinds.sleepy.enqueue_many([{"seconds": 0}] * 300))
    return len({facts.attempts(task.id)[-1].worker for task in done})


@one_ledger  # on both the services below are tried
def test_a_killed_worker_is_replaced_alone_and_what_it_had_started_runs_again(supervised, tmp_path):
    group = supervised(processes=2, threads=2).up(2)
    before = group.workers()
    facts.warm(threads=4)  # what has lost a worker runs in a process of its own
    wait_until(lambda: takers_of_quick_tasks() == 2, timeout=30, what="both to claim quick tasks, in large batches")
    witness = tmp_path / "witness"
    with transaction():
        slow = kinds.sleepy.with_options(priority=90).enqueue_many([{"seconds": 1, "witness": str(witness)}] * 2)
        quick = kinds.sleepy.enqueue_many([{"seconds": 0}] * 200)
    wait_until(lambda: lines(witness), every=0.001, what="the first start")
    victim = int(lines(witness)[0][2])
    os.kill(victim, signal.SIGKILL)
    killed_at = now()

    done = facts.completed(slow + quick)
    attempts = {task.id: facts.attempts(task.id) for task in done}
    lost = [task for task in done if Outcome.lost in {a.outcome for a in attempts[task.id]}]
    assert lost
    for task in lost:
        first, second = attempts[task.id]
        assert (first.outcome, second.outcome, task.losses) == (Outcome.lost, Outcome.completed, 1)
        assert facts.seconds(second.started_at, killed_at) < LEASE_S, "its supervisor reports the death"
    rescued = {int(event.entity_id) for event in facts.events("rescue")}
    unstarted = [task for task in done if task.id in rescued and task not in lost]
    assert unstarted, "none had been claimed without having been started"
    assert {(task.losses, task.tries) for task in unstarted} == {(0, 0)}

    group.up(2)
    after = group.workers()
    assert set(before) - {victim} < set(after), "the sibling was touched"
    (replacement,) = set(after) - set(before)
    born = datetime.fromtimestamp(psutil.Process(replacement).create_time(), UTC)
    assert facts.seconds(born, killed_at) < 1.0 + STALL_S


def test_a_frozen_workers_task_runs_elsewhere_within_the_lease_and_its_late_ending_changes_nothing(worker, tmp_path):
    both, witness = [worker(**SHORT_LEASES), worker(**SHORT_LEASES)], tmp_path / "witness"
    for one in both:
        one.up()
    facts.warm(threads=8)
    task = odd_kinds.haunted.enqueue(seconds=1.5, witness=str(witness))
    facts.started(task.id)
    first = next(one for one in both if one.pid == int(lines(witness)[0][1]))
    first.freeze()
    frozen_at = now()
    wait_until(lambda: len(lines(witness)) > 1, what="the second start")
    first.send(signal.SIGCONT)

    done = facts.completed([task.id])[0]
    wait_until(lambda: facts.events("fence", task.id), what="the refusal of the late ending")
    assert facts.outcomes(task.id) == [Outcome.lost, Outcome.completed]
    assert facts.seconds(facts.attempts(task.id)[1].started_at, frozen_at) < SHORT_LEASE_S + 2.0 + STALL_S
    assert done.result == {"pid": int(lines(witness)[1][1])}, "the zombie's result was taken"
    assert tasks.get(task.id).updated_at == done.updated_at
    assert [line.message for line in facts.log_lines(task.id)] == [f"last words of {done.result['pid']}"]
    assert facts.events("fence", task.id)[0].after["epoch"] == 1
    wait_until(lambda: "fenced" in first.said(), what="the word of it")


def test_a_kill_between_body_and_commit_repeats_the_attempt_and_one_completes(worker, tmp_path, ledger, locked):
    first, witness = worker().up(), tmp_path / "witness"
    task = kinds.sleepy.enqueue(seconds=0.5, witness=str(witness))
    facts.started(task.id)
    with locked():
        wait_until(lambda: lines(witness)[-1][-1] == "end", every=0.002, what="the body's end")
        first.kill()
    assert tasks.get(task.id).status is Status.running
    worker().up()
    assert facts.completed([task.id])[0].losses == 1
    assert facts.outcomes(task.id) == [Outcome.lost, Outcome.completed]
    assert [line[-1] for line in lines(witness)] == ["start", "end", "start", "end"]


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)  # only there can an ending be held up by itself
def test_a_worker_that_dies_of_what_a_quick_task_left_behind_counts_as_its_loss(worker, tmp_path, locked):
    first, witness = worker().up(), tmp_path / "witness"
    with locked("attempts"):
        task = kinds.sleepy.enqueue(seconds=0, witness=str(witness))
        wait_until(lambda: len(lines(witness)) == 2, every=0.002, what="the body's end")
        first.kill()
    worker().up()
    assert facts.completed([task.id])[0].losses == 1
    assert facts.outcomes(task.id) == [Outcome.lost, Outcome.completed]


@one_ledger
def test_what_kills_its_workers_is_given_up_after_three_losses_and_kills_only_one(supervised):
    group = supervised(processes=2, threads=4).up(2)
    exits, segfaults, is_killed = (partial(kinds.deadly.enqueue, how=how) for how in ("exit", "segfault", "kill"))
    dies = partial(odd_kinds.unwilling.enqueue, how="die")  # while its result is being written
    for pair in ((exits, segfaults), (is_killed, dies)):  # three at once could take down one neighbour three times
        innocent = kinds.sleepy.enqueue_many([{"seconds": 0.7}] * 4)
        for task in facts.ended([enqueue().id for enqueue in pair]):
            assert (task.status, task.losses, task.tries) == (Status.failed, 3, 0)
            assert facts.outcomes(task.id) == [Outcome.lost] * 3
            assert task.error_class in ("WorkerLost", "ChildDied")
        facts.completed(innocent)
    assert 1 <= group.said().count('"program died"') <= 4
    group.up(2)
