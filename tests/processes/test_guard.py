"""A worker process that can no longer do its work ends, and another takes its place."""

import signal

import psutil
import pytest

from models import Status
from services import tasks
from tests.processes import facts, kinds, odd_kinds
from tests.processes.conftest import SHORT_LEASES
from tests.support import wait_until

THREADS = ["beat", "claimer", "writer", "watch", "listener", "WorkerThread", "ConsumerThread"]


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_process_that_loses_one_of_its_threads_ends(worker):
    each = {thread: worker(WORKER_QUEUES=thread, WORKER_THREADS="3", **SHORT_LEASES) for thread in THREADS}
    for one in each.values():
        one.up()
    sabotages = [odd_kinds.saboteur.with_options(queue=thread).enqueue(thread=thread).id for thread in THREADS]
    for thread, one in each.items():
        assert one.wait() in (0, 1, 70), thread
    worker().up()
    for task in facts.ended(sabotages):  # at once, or by another worker, where it goes on to sabotage a thread of that
        assert task.status in (Status.completed, Status.failed)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_body_that_holds_the_interpreters_lock_costs_its_process_once(supervised):
    group = supervised(processes=1, threads=2, LEASE_S="2", BEAT_S="0.5").up()  # it ends after three silent leases
    neighbour = kinds.sleepy.enqueue(seconds=1)
    held = odd_kinds.gil_holder.with_options(timeout=1.0, retries=0).enqueue()
    ended = facts.ended([held.id])[0]
    assert (ended.status, ended.error_class, ended.losses) == (Status.failed, "TimedOut", 1)
    assert "in gil_holder" in group.said()
    assert facts.completed([neighbour.id])
    assert group.said().count('"program died"') == 1


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_worker_that_cannot_beat_lets_go_of_what_others_may_run(worker, frozen_server):
    one = worker(**SHORT_LEASES).up()
    alone, checks = kinds.alone.enqueue(seconds=60), kinds.sleepy.enqueue(seconds=60)
    quiet = odd_kinds.haunted.enqueue(seconds=6, witness="")
    for task in (alone, checks, quiet):
        facts.started(task.id)
    (line,) = wait_until(lambda: facts.log_lines(alone.id), what="the child's first words")
    child = psutil.Process(line.fields["pid"])
    with frozen_server():
        wait_until(lambda: "no beat for most of a lease" in one.said(), what="the doubt")
        wait_until(lambda: not child.is_running(), what="the end of the isolated child")
    assert facts.completed([quiet.id])[0].losses == 0
    wait_until(lambda: facts.attempts(alone.id) and facts.attempts(checks.id), what="the hand-backs")
    assert one.runs()
    for task in (alone, checks):
        assert (tasks.get(task.id).losses, tasks.get(task.id).tries) == (0, 0)
        wait_until(lambda task=task: tasks.cancel(task.id), what="the end of the test")
    one.send(signal.SIGTERM)
    assert one.wait() == 0
