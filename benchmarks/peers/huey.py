"""Huey: two consumers, 8 threads each. VARIANT: `redis` (with priorities), or `postgresql`. It keeps results."""

import os
from typing import Any

from huey import PostgresHuey, PriorityRedisHuey

from benchmarks import jobs

if os.environ.get("VARIANT") == "postgresql":
    huey = PostgresHuey("bench", dsn=os.environ["POSTGRES_URL"])
else:
    huey = PriorityRedisHuey("bench", url=os.environ["REDIS_URL"])


@huey.task()
def job(number: int, seconds: float = 0.0) -> int:
    return jobs.work(number, seconds)


def prepare() -> None:
    pass  # tables are made when it is imported


def commands(processes: int, threads: int) -> list[list[str]]:
    consumer = ["-m", "huey.bin.huey_consumer", f"{__name__}.huey", "-k", "thread", "-w", str(threads), "-q"]
    return [consumer] * processes


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return job(number, seconds)


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        job(number, seconds)


def finished(jobs: int) -> bool:
    return huey.storage.result_store_size() >= jobs


def result(handle: Any) -> object:
    return handle.get(blocking=True, timeout=60)


def urgent(number: int) -> None:
    job(number, 0.0, priority=10)
