"""How often each loop runs. With `--once` each runs once, for platforms with their own cron. Any number may run."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from models import migrate
from services import error_counts, folding, indexing, log, retention, schedules, workers
from services.lifecycle import needs, release, rescue
from services.loops import Rounds
from settings import settings

LOOPS: dict[Callable[[], int], int] = {  # seconds
    schedules.fire: 1,
    release.release: 1,
    release.expire: 1,
    rescue.rescue: 1,
    needs.settle_rest: 1,
    folding.fold: 1,
    indexing.index: 2,
    schedules.follow: 2,
    error_counts.fold: 5,
    release.unpark: 5,
    error_counts.purge: 3600,
    schedules.refresh: 3600,
    retention.purge: 3600,
}
BEAT_S = 10  # at most: a process that is silent for three leases counts as dead


def main() -> int:
    """Run the loops until asked to stop; the exit code."""
    parser = argparse.ArgumentParser(prog="python scheduler.py", description=__doc__)
    parser.add_argument("--once", action="store_true", help="run each loop once, and end")
    once = parser.parse_args().once
    log.configure("scheduler")
    migrate.wait_until_current()
    if workers.too_old():
        structlog.get_logger(__name__).error("this code is too old for the ledger; deploy the newer release")
        return 0
    return run_once() if once else run()


def run_once() -> int:
    """Each loop in turn: one may find what another has just made."""
    rounds = Rounds()
    went = [rounds.run([loop]) for loop in LOOPS]
    return 0 if all(went) else 1


def run() -> int:
    """All loops at their times, until SIGTERM or SIGINT."""
    rounds = Rounds()
    periods = sorted(set(LOOPS.values()))
    clock = BlockingScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(len(periods) + 1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )

    def stop(*_: object) -> None:
        rounds.stop()
        threading.Thread(target=clock.shutdown).start()  # a signal may come inside the clock's own locks

    name = workers.register(kind="scheduler", threads=len(periods))

    def beat() -> int:
        row = workers.beat(name)
        if row is not None and row.stop_requested_at is not None:
            stop()
        return 0

    rescue.begin()
    for every in periods:
        loops = [loop for loop, seconds in LOOPS.items() if seconds == every]
        first = datetime.now(UTC)
        clock.add_job(rounds.run, "interval", [loops, every], seconds=every, next_run_time=first)
    clock.add_job(rounds.run, "interval", [[beat]], seconds=min(BEAT_S, settings().lease_s))
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, stop)
    clock.start()
    workers.goodbye(name, "asked to stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
