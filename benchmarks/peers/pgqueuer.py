"""PGQueuer on PostgreSQL: two workers on uvloop. VARIANT `100`: batch_size=100, which its guide names for throughput.

A worker's jobs at once are not limited: it refuses a limit below twice the batch.
"""

import json
import os

import asyncpg
import psycopg
import uvloop
from pgqueuer import PgQueuer
from pgqueuer.core.completion import CompletionWatcher
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks import jobs
from benchmarks.peers.loop import run

RECOVERY_S = 45
URL = os.environ["POSTGRES_URL"]
_queries: Queries


async def serve() -> None:
    """A worker: what `pgq run` does, whose command line does not work with the typer of today."""
    connection = await asyncpg.connect(URL)
    queuer = PgQueuer(AsyncpgDriver(connection))

    @queuer.entrypoint("job")
    async def job(job: Job) -> None:
        await jobs.work_async(*json.loads(job.payload))

    await queuer.run(**({"batch_size": 100} if os.environ.get("VARIANT") == "100" else {}))


def connect() -> None:
    global _queries
    _queries = Queries(AsyncpgDriver(run(asyncpg.connect(URL))))


def prepare() -> None:
    connect()
    run(_queries.install())


def commands(processes: int, threads: int) -> list[list[str]]:
    return [["-m", __name__]] * processes


def _payload(number: int, seconds: float) -> bytes:
    return json.dumps([number, seconds]).encode()


def enqueue(number: int, seconds: float = 0.0) -> int:
    return run(_queries.enqueue("job", _payload(number, seconds)))[0]


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    async def all_of_them() -> None:
        for number in numbers:
            await _queries.enqueue("job", _payload(number, seconds))

    run(all_of_them())


def enqueue_many(numbers: range, seconds: float = 0.0) -> None:
    for start in range(0, len(numbers), 1_000):
        some = [_payload(number, seconds) for number in numbers[start : start + 1_000]]
        run(_queries.enqueue(["job"] * len(some), some, [0] * len(some)))


def finished(jobs: int) -> bool:
    with psycopg.connect(URL) as connection:
        return not connection.execute("SELECT EXISTS (SELECT 1 FROM pgqueuer)").fetchone()[0]


def result(handle: int) -> str:
    """How it ended: there are no results."""

    async def ended() -> str:
        async with CompletionWatcher(_queries.driver, queries=_queries) as watcher:
            return await watcher.wait_for(handle)

    return run(ended())


def urgent(number: int) -> None:
    run(_queries.enqueue("job", _payload(number, 0.0), priority=10))


if __name__ == "__main__":
    uvloop.run(serve())
