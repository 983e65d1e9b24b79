"""A clock that is wrong, or is set while work goes on: on PostgreSQL the database's rules; nothing is done twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import update

from models import Status, Task, connect, db, migrate, now, transaction
from models.base import follow_clock
from models.db import is_postgresql
from services import tasks, workers
from services.lifecycle import rescue
from services.lifecycle.release import release
from settings import settings
from tests.services import kit, server_clock

HOUR = timedelta(hours=1)
LEASE_S = 10.0


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "behind"])
def jump(request: pytest.FixtureRequest) -> timedelta:
    return request.param


@pytest.fixture
def clock(core: str) -> Iterator[Callable[[timedelta], None]]:
    """Sets this machine's clock."""
    turned: list[time_machine.travel] = []

    def set_by(difference: timedelta) -> None:
        turned.append(time_machine.travel(datetime.now(UTC) + difference, tick=True))
        turned[-1].start()

    yield set_by
    for each in reversed(turned):
        each.stop()


@pytest.fixture
def servers_clock(core: str) -> Iterator[Callable[[timedelta], None]]:
    """Sets the clock of the database's server, and no other."""
    with server_clock.settable() as set_to:
        yield set_to


def beat(name: str) -> None:
    """As a worker's thread does: its leases, and its row."""
    extend(name)
    workers.beat(name)


def extend(name: str) -> None:
    kit.execute(
        "UPDATE tasks SET lease_until = :at WHERE worker = :name AND status = 'running'",
        at=rescue_time(LEASE_S), name=name,
    )  # fmt: skip


def a_living_worker():
    """Its name, and the task that it holds and has beaten for."""
    name = workers.register()
    kit.greet()
    (claim,) = kit.take(1, name, lease_s=LEASE_S)
    assert migrate.wait_until_current(timeout_s=5)
    beat(name)
    assert rescue.rescue() == 0
    return name, claim


def rescue_time(seconds: float) -> str:
    from services.lifecycle.batch import stamp

    return stamp(now() + timedelta(seconds=seconds))


def test_a_process_that_starts_with_a_wrong_clock_takes_the_databases(clock, jump, core):
    true = now()
    clock(jump)
    assert migrate.wait_until_current(timeout_s=5)
    off = abs(now() - true) > timedelta(minutes=1)
    assert off is (core == "sqlite"), "on SQLite all are on this machine, and there is no other clock"


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_who_enqueues_from_a_machine_with_a_wrong_clock_takes_the_databases(clock, jump, monkeypatch):
    """A console, a doctor, a prompt: else what it makes wait for others would wait for its own clock, too."""
    true = now()
    clock(jump)
    monkeypatch.setattr(connect, "follow_clock", follow_clock)
    db.forget_engine()
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    assert abs(child.created_at - true) < timedelta(minutes=1)
    kit.finish(kit.take_one(parent))
    assert kit.status(child) == [Status.queued]


@pytest.mark.parametrize("asks", ["TRUSTED_S", "STEP_S"], ids=["after a rest", "at work all the time"])
@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_who_has_no_beat_notices_too_that_the_servers_clock_was_set(servers_clock, jump, monkeypatch, asks):
    """A console that runs for days: else all workers were dead to it, and what it enqueues bore the wrong time."""
    monkeypatch.setattr(connect, "follow_clock", follow_clock)
    for each in ("TRUSTED_S", "STEP_S"):
        monkeypatch.setattr(connect, each, 3600.0)
    kit.greet()
    monkeypatch.setattr(connect, asks, 0.0)
    servers_clock(jump)
    assert abs(kit.greet().created_at - datetime.now(UTC) - jump) < timedelta(minutes=1)


def test_a_clock_that_is_set_takes_no_task_from_a_worker_that_lives(clock, jump):
    name, claim = a_living_worker()
    clock(jump)
    assert rescue.rescue() == 0, "all leases are measured by the clock that was set"
    beat(name)
    assert rescue.rescue() == 0
    assert not kit.finish(claim)
    assert tasks.get(claim.id).losses == 0


def test_a_lease_that_is_extended_just_after_the_clock_was_set_is_right_on_postgresql(clock, jump):
    assert migrate.wait_until_current(timeout_s=5)
    kit.greet()
    true = now()
    clock(jump)
    (claim,) = kit.take(1, lease_s=LEASE_S)
    if is_postgresql():
        lease = tasks.get(claim.id).lease_until - true
        assert timedelta(0) < lease < timedelta(seconds=LEASE_S + 5)
    rescue.forget()
    assert rescue.rescue() == 0


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_servers_clock_that_is_set_takes_no_task_from_the_worker_that_notices(servers_clock, jump):
    name, claim = a_living_worker()
    servers_clock(jump)
    for _ in range(3):
        beat(name)
        assert rescue.rescue() == 0, "the lease was measured by the clock before"
    assert abs(now() - datetime.now(UTC) - jump) < timedelta(minutes=1), "it was to keep step"
    assert not kit.finish(claim)
    assert tasks.get(claim.id).losses == 0


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_rescuer_that_has_not_noticed_that_the_servers_clock_was_set_back_takes_no_task(servers_clock):
    """As a scheduler, which keeps step every ten seconds, beside workers that do so each second."""
    servers_clock(HOUR)
    assert migrate.wait_until_current(timeout_s=5)
    kit.greet()
    (claim,) = kit.take(1, lease_s=LEASE_S)
    assert rescue.rescue() == 0
    servers_clock(timedelta(0))
    with transaction() as session:
        session.execute(update(Task).values(lease_until=datetime.now(UTC) + timedelta(seconds=LEASE_S)))
    for _ in range(3):
        assert rescue.rescue() == 0, "its worker lives, and has kept step"
    assert not kit.finish(claim)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_rescuer_that_waits_a_lease_notices_all_the_same_that_the_servers_clock_was_set(servers_clock, monkeypatch):
    """Else it would not see that the clock was set back and ahead again while it waited."""
    at = SimpleNamespace(monotonic=lambda: at.seconds, seconds=1000.0)
    monkeypatch.setattr(rescue, "time", at)
    servers_clock(HOUR)
    assert migrate.wait_until_current(timeout_s=5)
    kit.greet()
    (claim,) = kit.take(1, lease_s=LEASE_S)
    rescue.begin()
    servers_clock(timedelta(0))
    with transaction() as session:
        session.execute(update(Task).values(lease_until=datetime.now(UTC) + timedelta(seconds=LEASE_S)))
    while at.seconds < 1000 + settings().lease_s - 1:
        at.seconds += 1
        assert rescue.rescue() == 0
    servers_clock(HOUR)
    for _ in range(3):
        at.seconds += 1
        assert rescue.rescue() == 0, "its worker lives, and has had no chance to keep step"
    assert not kit.finish(claim)


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_rescuer_that_notices_over_a_dead_workers_task_that_the_servers_clock_was_set_waits_for_the_others(
    servers_clock,
):
    assert migrate.wait_until_current(timeout_s=5)
    kit.greet(), kit.greet()
    (dead,) = kit.take(1, "dead", lease_s=-1.0)
    (lives,) = kit.take(1, "lives", lease_s=LEASE_S)
    rescue.looked()
    servers_clock(HOUR)
    assert rescue.rescue() == 0, "who lives has had no chance to beat by the new clock"
    assert kit.status(dead.id, lives.id) == [Status.running] * 2
    rescue.forget()
    beat("lives")
    assert rescue.rescue() == 1


def test_retries_are_due_at_the_databases_time_and_a_dead_workers_task_comes_back_all_the_same(clock, jump, core):
    name = workers.register()
    assert migrate.wait_until_current(timeout_s=5)
    later, lost = kit.greet(run_at=now() + timedelta(minutes=30)), kit.greet(priority=100)
    kit.take(1, name, lease_s=LEASE_S)
    rescue.rescue()
    clock(jump)
    due = release()
    assert due == (1 if core == "sqlite" and jump > timedelta(0) else 0)
    assert rescue.rescue() == 0
    workers._bury(name, "its supervisor saw it die")
    assert kit.status(later, lost)[1] is Status.queued
    assert tasks.get(lost.id).losses == 1
