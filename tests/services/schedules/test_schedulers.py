"""Real schedulers: `scheduler.py`, one or two of them, frozen for a while."""

import signal
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine

from services import catalog, schedules, workers
from settings import settings
from tests.forked import SCHEDULER, Forked
from tests.services import kit
from tests.support import freeze, wait_until


def started(*arguments: str) -> Forked:
    """A scheduler on this ledger."""
    where = settings().var_dir
    env = {"VAR_DIR": str(where), "LOG_LEVEL": "error"}
    return Forked(SCHEDULER, *arguments, says=where / "schedulers", env=env)


@pytest.fixture
def schedulers():
    running = []

    def start(*arguments: str) -> Forked:
        running.append(started(*arguments))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(30)


def fires() -> int:
    return kit.scalar("SELECT count(*) FROM fires")


def test_one_tick_from_a_platforms_cron_fires_what_is_due(core, schedulers):
    catalog.declare()
    with time_machine.travel(datetime.now(UTC) - timedelta(seconds=61)):
        made = schedules.create("m", "greet", cron="* * * * *", missed="all")
    assert schedulers("--once").wait(60) == 0
    assert {view.outcome.value for view in schedules.history(made.id)} <= {"ran", "skipped"}
    assert schedules.history(made.id)[-1].outcome == "ran"


def freeze_between_transactions(process: Forked) -> None:
    """Stop it where it holds no lock: others go on firing."""
    for _ in range(6):
        freeze(process)
        before = fires()
        try:
            wait_until(lambda at=before: fires() > at, 20, every=0.1)
            return
        except AssertionError:
            process.send_signal(signal.SIGCONT)
    raise AssertionError("nobody fires while one scheduler is frozen")


def test_two_schedulers_one_of_them_frozen_over_slots_fire_each_once(core, schedulers):
    catalog.declare()
    made = schedules.create("s", "greet", cron="*/2 * * * * *", overlap="allow", missed="all")
    first = schedulers()
    second = schedulers()
    wait_until(lambda: len(workers.alive(kind="scheduler")) == 2, 60, what="two schedulers")
    wait_until(lambda: fires() >= 1, 30, what="a first fire")
    freeze_between_transactions(first)
    wait_until(lambda at=fires(): fires() >= at + 2, 30, every=0.1, what="fires of the other")
    first.send_signal(signal.SIGCONT)
    wait_until(lambda at=fires(): fires() >= at + 2, 30, every=0.1, what="fires of both")
    for each in (first, second):
        each.terminate()
        assert each.wait(60) == 0
    views = schedules.history(made.id)[::-1]
    assert {later.at - earlier.at for earlier, later in pairwise(views)} == {timedelta(seconds=2)}
    assert {view.outcome.value for view in views} == {"ran"}
    assert kit.scalar("SELECT count(DISTINCT slot) FROM tasks") == kit.count() == len(views)
