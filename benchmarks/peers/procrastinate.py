"""Procrastinate on PostgreSQL: two workers, 8 coroutines each. It keeps what has ended, and no results."""

import os

import psycopg
from procrastinate import App, PsycopgConnector

from benchmarks import jobs

URL = os.environ["POSTGRES_URL"]

app = App(connector=PsycopgConnector(conninfo=URL), import_paths=[__name__])


@app.task(name="job")
async def job(number: int, seconds: float = 0.0) -> None:
    await jobs.work_async(number, seconds)


def connect() -> None:
    app.open()


def prepare() -> None:
    connect()
    app.schema_manager.apply_schema()


def commands(processes: int, threads: int) -> list[list[str]]:
    return [["-m", "procrastinate", "--app", f"{__name__}.app", "worker", "-c", str(threads)]] * processes


def enqueue(number: int, seconds: float = 0.0) -> int:
    return job.defer(number=number, seconds=seconds)


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        job.defer(number=number, seconds=seconds)


def enqueue_many(numbers: range, seconds: float = 0.0) -> None:
    for start in range(0, len(numbers), 1_000):
        job.batch_defer(*({"number": number, "seconds": seconds} for number in numbers[start : start + 1_000]))


def finished(jobs: int) -> bool:
    with psycopg.connect(URL) as connection:
        asked = "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
        return not connection.execute(asked).fetchone()[0]


def urgent(number: int) -> None:
    job.configure(priority=10).defer(number=number)
