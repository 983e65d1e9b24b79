"""taskiq on a Redis stream, acknowledged: two processes, 8 coroutines each. VARIANT `results`: kept in Redis."""

import os
from typing import Any

from redis import Redis
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from benchmarks import jobs
from benchmarks.peers.loop import run

URL = os.environ["REDIS_URL"]

broker = RedisStreamBroker(URL)
if os.environ.get("VARIANT") == "results":
    broker = broker.with_result_backend(RedisAsyncResultBackend(URL, result_ex_time=3600))


@broker.task(task_name="job")
async def job(number: int, seconds: float = 0.0) -> int:
    return await jobs.work_async(number, seconds)


def prepare() -> None:
    run(broker.startup())


def commands(processes: int, threads: int) -> list[list[str]]:
    worker = ["-m", "taskiq", "worker", f"{__name__}:broker", "--log-level", "WARNING"]
    return [[*worker, "--workers", str(processes), "--max-async-tasks", str(threads)]]


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return run(job.kiq(number, seconds))


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    async def all_of_them() -> None:
        for number in numbers:
            await job.kiq(number, seconds)

    run(all_of_them())


def finished(jobs: int) -> bool:
    client = Redis.from_url(URL)
    group = client.xinfo_groups("taskiq")[0]
    return not group["pending"] and not group["lag"]


if os.environ.get("VARIANT") == "results":

    def result(handle: Any) -> object:
        return run(handle.wait_result(timeout=60)).return_value
