"""Celery on Redis: one worker that forks 16 children (its default pool). VARIANT: results in `redis` or a `database`.

(Two workers of 8 threads would have the same slots, but with threads every result opens a connection of its own.)
"""

import os
from typing import Any

import redis
from celery import Celery, chord

from benchmarks import jobs

SOCKET = os.environ["REDIS_URL"].removeprefix("unix://")
BACKENDS = {
    "redis": f"redis+socket://{SOCKET}?virtual_host=1",
    "database": os.environ.get("POSTGRES_URL", "").replace("postgresql://", "db+postgresql+psycopg://", 1),
}
VARIANT = os.environ.get("VARIANT", "")

app = Celery("bench", broker=f"redis+socket://{SOCKET}", backend=BACKENDS.get(VARIANT))
app.conf.update(task_ignore_result=not VARIANT, broker_connection_retry_on_startup=True)


@app.task(name="job")
def job(number: int, seconds: float = 0.0) -> int:
    return jobs.work(number, seconds)


def prepare() -> None:
    if VARIANT == "database":
        app.backend.ResultSession()  # makes the tables: several workers that make them at once disturb each other


def commands(processes: int, threads: int) -> list[list[str]]:
    slots = str(processes * threads)
    return [["-m", "celery", "-A", __name__, "worker", "--concurrency", slots, "--loglevel", "WARNING"]]


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return job.delay(number, seconds)


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        job.delay(number, seconds)


def finished(jobs: int) -> bool:
    if VARIANT == "redis":
        return redis.Redis(unix_socket_path=SOCKET, db=1).dbsize() >= jobs
    if VARIANT == "database":
        import psycopg

        with psycopg.connect(os.environ["POSTGRES_URL"]) as connection:
            return connection.execute("SELECT count(*) FROM celery_taskmeta").fetchone()[0] >= jobs
    client = redis.Redis(unix_socket_path=SOCKET)
    return not client.llen("celery") and not client.hlen("unacked")


if VARIANT:

    def result(handle: Any) -> object:
        return handle.get(timeout=60)

    def fan(many: int) -> None:
        """A chord; the first job is not waited for."""
        job.delay(0)
        chord((job.s(number) for number in range(1, many + 1)), job.si(many + 1))()
