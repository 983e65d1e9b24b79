"""arq: two workers, 8 coroutines each. It keeps results for an hour."""

import os
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import ResultNotFound
from redis import Redis

from benchmarks import jobs
from benchmarks.peers.loop import run

redis_settings = RedisSettings(unix_socket_path=os.environ["REDIS_URL"].removeprefix("unix://"))
_pool: Any = None


async def job(ctx: dict, number: int, seconds: float = 0.0) -> int:
    return await jobs.work_async(number, seconds)


class Worker:
    """What `arq` starts."""

    functions = [job]
    redis_settings = redis_settings
    max_jobs = int(os.environ.get("THREADS", "8"))


def connect() -> None:
    global _pool
    _pool = run(create_pool(redis_settings))


prepare = connect


def commands(processes: int, threads: int) -> list[list[str]]:
    os.environ["THREADS"] = str(threads)
    return [["-m", "arq", f"{__name__}.Worker"]] * processes


def enqueue(number: int, seconds: float = 0.0) -> Any:
    return run(_pool.enqueue_job("job", number, seconds))


def enqueue_each(numbers: range, seconds: float = 0.0) -> None:
    async def all_of_them() -> None:
        for number in numbers:
            await _pool.enqueue_job("job", number, seconds)

    run(all_of_them())


def finished(jobs: int) -> bool:
    return not Redis.from_url(os.environ["REDIS_URL"]).zcard("arq:queue")


def result(handle: Any) -> object:
    try:
        return run(handle.result(timeout=60))
    except ResultNotFound:  # it looks for the result, then for the job: one that ends in between is in neither place
        return run(handle.result(timeout=60))
