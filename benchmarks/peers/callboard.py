"""Callboard as its Procfile starts it; task, attempt and counts are committed.

VARIANT `results`: jobs return something, which is committed, too; `silent`: no bell.
"""

import os

from sqlalchemy import exists, select

from benchmarks import jobs
from models import Status, migrate, reading, tables
from runtime import Run, actor
from services import tasks

RECOVERY_S = 15
RESULTS = os.environ.get("VARIANT") == "results"


@actor(timeout=None)
def job(run: Run, number: int, seconds: float = 0.0) -> int | None:
    """The work."""
    given = jobs.work(number, seconds)
    return given if RESULTS else None


@actor
def gather(run: Run, number: int) -> int:
    """The last of a fan: looks at what it needed."""
    jobs.note(number)
    return len(run.needs)


def prepare() -> None:
    migrate.upgrade()


def commands(processes: int, threads: int) -> list[list[str]]:
    return [["-m", "runtime.worker", "--processes", str(processes), "--threads", str(threads)]]


def enqueue(number: int, seconds: float = 0.0) -> int:
    return job.enqueue(number=number, seconds=seconds).id


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        job.enqueue(number=number, seconds=seconds)


def enqueue_many(numbers: range, seconds: float = 0.0) -> list[int]:
    return job.enqueue_many([{"number": number, "seconds": seconds} for number in numbers])


def finished(jobs: int) -> bool:
    t = tables.tasks.c
    live = select(exists().where(t.status.in_((Status.pending, Status.queued, Status.running))))
    with reading() as session:
        return not session.execute(live).scalar_one()


def urgent(number: int) -> None:
    job.with_options(priority=90).enqueue(number=number)


def fan(many: int) -> None:
    first = job.enqueue(number=0)
    middle = job.with_options(needs=[first]).enqueue_many([{"number": number} for number in range(1, many + 1)])
    gather.with_options(needs=middle).enqueue(number=many + 1)


if RESULTS:

    def result(handle: int) -> object:
        return tasks.wait(handle, timeout=60).body.result
