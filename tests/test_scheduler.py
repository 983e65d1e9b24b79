"""The scheduler: every loop at its time, one failure told once, and a clean end."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

import scheduler
from models import Status
from models.db import engine
from services import stats, tasks, workers
from services.loops import Rounds, name_of
from settings import ROOT, settings
from tests.forked import SCHEDULER, Forked
from tests.services import kit
from tests.support import wait_until


@pytest.fixture
def core(ledger):
    with kit.known(kit.a_type("greet")):
        yield ledger


numbers = itertools.count()


def started() -> Forked:
    env = {"VAR_DIR": str(settings().var_dir), "LOG_FORMAT": "json"}
    return Forked(SCHEDULER, says=settings().var_dir / f"said-{next(numbers)}", env=env)


def test_once_runs_each_loop_once_and_ends(core):
    tasks.enqueue_many("greet", [{}] * 3)
    assert kit.scalar("SELECT count(*) FROM rollup_deltas") > 0
    done = subprocess.run(
        [sys.executable, "scheduler.py", "--once"], cwd=ROOT, env=os.environ | {"VAR_DIR": str(settings().var_dir)},
        text=True, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert kit.scalar("SELECT count(*) FROM rollup_deltas") == 0
    assert kit.scalar("SELECT count(*) FROM task_search") == 3
    assert stats.by_status()[Status.queued] == 3
    assert workers.alive(kind="scheduler") == []


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_shows_that_it_lives_and_says_goodbye(core, sign):
    process = started()
    try:
        (row,) = wait_until(lambda: workers.alive(kind="scheduler"), 30, what="a scheduler's row")
        assert (row.pid, row.stopped_at) == (process.pid, None)
        tasks.enqueue_many("greet", [{}] * 3)
        wait_until(lambda: kit.scalar("SELECT count(*) FROM rollup_deltas") == 0, what="the folding")
        wait_until(lambda: kit.scalar("SELECT count(*) FROM task_search") == 3, what="the indexing")
        process.send_signal(sign)
        assert process.wait(60) == 0, process.said()
    finally:
        process.kill()
    assert workers.alive(kind="scheduler") == []
    assert kit.scalar("SELECT stop_reason FROM workers") == "asked to stop"
    assert [json.loads(line)["event"] for line in process.said().splitlines()] == ["started", "stopped"]


def test_it_stops_when_the_console_asks_for_it(core, monkeypatch):
    monkeypatch.setenv("LEASE_S", "3")  # it hears of it at a beat
    process = started()
    try:
        (row,) = wait_until(lambda: workers.alive(kind="scheduler"), 30, what="a scheduler's row")
        workers.request_stop(row.name)
        assert process.wait(60) == 0, process.said()
    finally:
        process.kill()


def test_two_may_run_at_once(core):
    both = [started(), started()]
    try:
        wait_until(lambda: len(workers.alive(kind="scheduler")) == 2, 30, what="two schedulers")
        for _ in range(5):
            tasks.enqueue_many("greet", [{}] * 100)
        wait_until(lambda: kit.scalar("SELECT count(*) FROM task_search") == 500, 30, what="the indexing")
        wait_until(lambda: kit.scalar("SELECT count(*) FROM rollup_deltas") == 0, what="the folding")
        assert stats.by_status()[Status.queued] == 500
        for process in both:
            process.terminate()
        codes = [process.wait(60) for process in both]
    finally:
        for process in both:
            process.kill()
    said = "".join(process.said() for process in both)
    assert codes == [0, 0], said
    assert "Traceback" not in said


def test_every_loop_is_a_service_that_returns_a_count(core):
    for loop, seconds in scheduler.LOOPS.items():
        assert loop.__module__.startswith("services.")
        assert seconds >= 1
        assert isinstance(loop(), int)


def test_no_idle_loop_takes_the_write_lock(core):
    if core == "postgresql":
        pytest.skip("PostgreSQL has no single write lock")
    tasks.enqueue_many("greet", [{}] * 3)
    while sum(loop() for loop in scheduler.LOOPS):
        pass
    with engine().connect() as other:
        other.exec_driver_sql("UPDATE tasks SET title = title")  # holds the only write lock
        assert [name_of(loop) for loop in scheduler.LOOPS if loop()] == []
        other.rollback()


def test_the_scheduler_has_no_logic_of_its_own():
    source = Path(scheduler.__file__).read_text()
    assert len(source.splitlines()) < 100
    assert not re.search(r"\b(select|text|transaction|reading)\(", source)


# Rounds


def test_a_loop_is_repeated_until_it_finds_nothing():
    left = [3, 2, 1, 0, 9]
    assert Rounds().run([lambda: left.pop(0)])
    assert left == [9]


def test_a_loop_that_never_ends_gives_way_when_its_time_is_up():
    calls = itertools.count(1)
    assert Rounds().run([lambda: next(calls)], at_most_s=0.05)
    assert next(calls) > 1


@pytest.mark.parametrize("away", [True, False])
def test_a_failure_is_told_once_and_so_is_its_end(away):
    ok: list[int] = []
    error = OperationalError("SELECT 1", {}, Exception("no connection")) if away else ZeroDivisionError()

    def shaky() -> int:
        if not ok:
            raise error
        return 0

    rounds = Rounds()
    others = itertools.count()
    with capture_logs() as told:
        assert [rounds.run([shaky, lambda: next(others) * 0]) for _ in range(5)] == [False] * 5
        assert next(others) == 5  # the rest goes on
        ok.append(1)
        assert rounds.run([shaky])
    first, last = told
    assert first["event"] == "a loop fails; it is tried again"
    assert first.get("exc_info", False) is not away  # an outage needs no traceback
    assert last["event"] == "the loop works again"


def test_after_a_stop_no_batch_begins():
    calls = []
    rounds = Rounds()

    def loop() -> int:
        calls.append(1)
        rounds.stop()
        return 1

    rounds.run([loop, loop], at_most_s=60)
    assert len(calls) == 1
