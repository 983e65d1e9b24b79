"""Bare Dramatiq on Redis, two processes of 8 threads. VARIANT `results`: its Results middleware, on the same Redis."""

import os
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import GroupCallbacks
from dramatiq.rate_limits.backends import RedisBackend as Barriers
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

from benchmarks import jobs

URL = os.environ["REDIS_URL"]

broker = RedisBroker(url=URL)
broker.add_middleware(GroupCallbacks(Barriers(url=URL)))
if os.environ.get("VARIANT") == "results":
    broker.add_middleware(Results(backend=RedisBackend(url=URL), store_results=True))
dramatiq.set_broker(broker)


@dramatiq.actor
def job(number: int, seconds: float = 0.0) -> int | None:
    given = jobs.work(number, seconds)
    return given if os.environ.get("VARIANT") == "results" else None  # it warns of a value that nobody keeps


def prepare() -> None:
    pass


def commands(processes: int, threads: int) -> list[list[str]]:
    return [["-m", "dramatiq", __name__, "-p", str(processes), "-t", str(threads)]]


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return job.send(number, seconds)


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    for number in numbers:
        job.send(number, seconds)


def finished(jobs: int) -> bool:
    return not broker.client.hlen("dramatiq:default.msgs")


def fan(many: int) -> None:
    """A group with a callback; the first job is not waited for."""
    job.send(0)
    group = dramatiq.group(job.message(number) for number in range(1, many + 1))
    group.add_completion_callback(job.message(many + 1))
    group.run()


if os.environ.get("VARIANT") == "results":

    def result(handle: Any) -> object:
        return handle.get_result(block=True, timeout=60_000)
