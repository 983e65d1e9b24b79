"""The bell, the database or the scheduler goes away: nothing is lost, nothing is done twice that was not cut."""

import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from models import Outcome, Status, db, now
from tests.processes import facts, kinds, odd_kinds
from tests.processes.conftest import SHORT_LEASE_S, SHORT_LEASES, STALL_S
from tests.support import one_ledger, wait_until

OUTAGE_S = 1.6 * SHORT_LEASE_S


def past(moment, seconds: float) -> bool:
    return facts.seconds(now(), moment) > seconds


def starts(witness: Path) -> Counter[str]:
    """How often each task's body has started."""
    lines = [line.split() for line in witness.read_text().splitlines()] if witness.exists() else []
    return Counter(line[0] for line in lines if line[-1] == "start")


@one_ledger  # on both the services below are tried
def test_the_bell_is_killed_emptied_and_comes_back_and_the_work_goes_on(valkey, worker):
    worker(POLL_S="0.5").up()
    wait_until(lambda: valkey.listeners() == 1, what="the listener")
    first = kinds.sleepy.enqueue_many([{"seconds": 0.02}] * 100)
    valkey.flush()
    valkey.kill()
    second = kinds.sleepy.enqueue_many([{"seconds": 0.02}] * 100)
    facts.completed(first + second)
    alone = kinds.noop.enqueue()
    assert facts.seconds(facts.completed([alone.id])[0].finished_at, alone.created_at) < 2.0 + STALL_S  # by looking
    valkey.start()
    wait_until(lambda: valkey.listeners() == 1, what="the listener's return")
    facts.completed([kinds.noop.enqueue().id])
    assert {tuple(facts.outcomes(task)) for task in first + second} == {(Outcome.completed,)}


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_bell_that_rings_with_rubbish_or_stalls_holds_up_nobody(valkey, worker):
    one = worker(POLL_S="0.3").up()
    wait_until(lambda: valkey.listeners() == 1, what="the listener")
    valkey.rubbish()
    ids, took = [kinds.noop.enqueue().id], []
    with valkey.frozen():
        for _ in range(10):
            began = time.monotonic()
            ids.append(kinds.noop.enqueue().id)
            took.append(time.monotonic() - began)
        facts.completed(ids)
    assert sorted(took)[5] < 0.5
    facts.completed([kinds.noop.enqueue().id])
    assert {tuple(facts.outcomes(task)) for task in ids} == {(Outcome.completed,)}
    assert one.runs()


def ends(witness: Path) -> set[str]:
    """The tasks whose body has ended."""
    return {line.split()[0] for line in witness.read_text().splitlines() if line.endswith("end")}


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_postgresql_is_away_for_longer_than_a_lease(own_server, worker, tmp_path):
    witness = tmp_path / "witness"
    both = [worker(WORKER_THREADS="6", **SHORT_LEASES) for _ in range(2)]
    for one in both:
        one.up()
    quiet = [odd_kinds.haunted.enqueue(seconds=3, witness=str(witness)).id for _ in range(4)]
    checks = [kinds.sleepy.enqueue(seconds=2, witness=str(witness)).id for _ in range(4)]
    for task in quiet + checks:
        facts.started(task)
    own_server.stop()
    stopped_at = now()
    wait_until(lambda: past(stopped_at, SHORT_LEASE_S + 0.5), what="the outage's end")
    wait_until(lambda: set(map(str, quiet)) <= ends(witness), what="the bodies' ends, during the outage")
    own_server.start()
    facts.completed(quiet + checks)
    assert all(one.runs() for one in both)
    assert not facts.events("rescue")
    assert {tuple(facts.outcomes(task)) for task in quiet} == {(Outcome.completed,)}, "they ended while it was away"
    for task in checks:  # cut at a checkpoint, or done before that
        times = starts(witness)[str(task)]
        assert facts.outcomes(task) == [Outcome.handed_back] * (times - 1) + [Outcome.completed]
    facts.completed([kinds.echo.enqueue().id])


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_worker_that_starts_before_its_database_says_so_waits_and_can_be_ended(own_server, worker):
    own_server.stop()
    patient, ended = worker(), worker()
    for one in (patient, ended):
        wait_until(lambda one=one: "the database cannot be reached" in one.said(), what="what it waits for")
    ended.send(signal.SIGTERM)
    ended.wait()
    own_server.start()
    db.engine().dispose()  # our own connections, which worked a moment ago, are trusted for a second
    patient.up()
    facts.completed([kinds.echo.enqueue().id])


@one_ledger
def test_a_worker_that_begins_after_an_outage_waits_a_lease_for_the_beats_of_others(worker):
    old = worker(**SHORT_LEASES).up()
    task = kinds.sleepy.enqueue(seconds=SHORT_LEASE_S + 3)
    facts.started(task.id)
    old.freeze()
    frozen_at = now()
    wait_until(lambda: past(frozen_at, SHORT_LEASE_S + 0.5), what="the end of the lease")
    worker()
    due = kinds.echo.with_options(run_at=now() + timedelta(seconds=1)).enqueue()
    facts.completed([due.id])  # released by the new one's beat, which then looked for leases
    old.send(signal.SIGCONT)
    facts.completed([task.id])
    assert not facts.events("rescue")
    assert facts.outcomes(task.id) == [Outcome.completed]


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_sqlite_is_locked_by_another_process_for_longer_than_a_lease(worker, locked, tmp_path):
    witness = tmp_path / "witness"
    both = [worker(**SHORT_LEASES), worker(**SHORT_LEASES)]
    for one in both:
        one.up()
    tasks = kinds.sleepy.enqueue_many([{"seconds": 0.5, "witness": str(witness)}] * 40)
    wait_until(lambda: starts(witness), what="the first start")
    with locked():
        locked_at = now()
        wait_until(lambda: past(locked_at, OUTAGE_S), what="the lock's end")
    facts.completed(tasks)
    assert not facts.events("rescue")
    assert not facts.events("fence")
    assert {tuple(facts.outcomes(task)) for task in tasks} == {(Outcome.completed,)}
    assert set(starts(witness).values()) == {1}
    assert all(one.runs() for one in both)


@one_ledger  # on both the services below are tried
def test_retries_releases_and_rescues_go_on_without_a_scheduler(worker):
    dying = worker(WORKER_THREADS="1", **SHORT_LEASES).up()
    lost = kinds.sleepy.enqueue(seconds=3)
    facts.started(lost.id)
    dying.freeze()
    living = worker(**SHORT_LEASES).up()
    retried = kinds.failing.enqueue(times=1, pause=0.5)
    later = kinds.noop.with_options(run_at=now()).enqueue()
    child = kinds.noop.with_options(needs=[retried, later]).enqueue()
    facts.completed([lost.id, retried.id, later.id, child.id])
    assert facts.outcomes(lost.id) == [Outcome.lost, Outcome.completed]
    assert living.runs()


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_the_children_of_a_killed_worker_die_with_it_and_theirs_too(worker, crew):
    one = worker().up()
    waiting = [odd_kinds.family.enqueue(seconds=600).id, kinds.in_c.enqueue().id]
    for task in waiting:
        facts.started(task)
    wait_until(lambda: facts.log_lines(waiting[0]), what="the child's child")
    wait_until(lambda: len(one.descendants()) >= 5, what="the children")  # tracker, fork server, two, and one of theirs
    killed_at = now()
    one.kill()
    wait_until(lambda: not crew.alive(), what="the end of all of them")
    assert facts.seconds(now(), killed_at) < 2.0 + STALL_S
    assert facts.has(waiting[1], Status.running)
