"""RQ: two workers, each of which forks for every job, one at a time; threads it does not know."""

import os
from typing import Any

from redis import Redis
from rq import Queue

from benchmarks import jobs

CONCURRENCY = 1  # jobs at once, a process

queue = Queue(connection=Redis.from_url(os.environ["REDIS_URL"], socket_timeout=None))


def prepare() -> None:
    pass


def commands(processes: int, threads: int) -> list[list[str]]:
    return [["-m", "rq.cli", "worker", "--quiet", "--url", os.environ["REDIS_URL"]]] * processes


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return queue.enqueue(jobs.work, number, seconds)


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        queue.enqueue(jobs.work, number, seconds)


def enqueue_many(numbers: range, seconds: float = 0.0) -> None:
    queue.enqueue_many([Queue.prepare_data(jobs.work, (number, seconds)) for number in numbers])


def finished(jobs: int) -> bool:
    return queue.connection.zcard(queue.finished_job_registry.key) >= jobs


def result(handle: Any) -> object:
    return handle.latest_result(timeout=60).return_value


def urgent(number: int) -> None:
    queue.enqueue(jobs.work, number, 0.0, at_front=True)
