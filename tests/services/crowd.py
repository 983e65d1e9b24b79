"""Real processes that start the same job at the same moment, and the jobs they do."""

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from settings import settings

_start: Any = None


class Crowd:
    """Processes that wait for one another before each job."""

    def __init__(self, size: int) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.size = size
        self._pool = ProcessPoolExecutor(size, spawn, initializer=_meet, initargs=(spawn.Barrier(size),))

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def do(self, job: Callable[..., Any], *arguments: Any, processes: int | None = None) -> list[Any]:
        """`job(n, *arguments)` in as many processes at once, on this process's ledger; returns what each returned."""
        where = {"VAR_DIR": str(settings().var_dir), "DATABASE_URL": os.environ.get("DATABASE_URL")}
        many = processes or self.size
        futures = [self._pool.submit(_do, where, n < many, job, n, arguments) for n in range(self.size)]
        return [future.result(90) for future in futures][:many]


def _meet(start: Any) -> None:
    global _start
    _start = start


def _do(where: dict[str, str | None], takes_part: bool, job: Callable[..., Any], n: int, arguments: Any) -> Any:
    from tests.conftest import forget

    for name, value in where.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    forget()
    _start.wait(60)
    try:
        return job(n, *arguments) if takes_part else None
    finally:
        forget()


def claim_until_empty(n: int, limit: int) -> list[int]:
    """Claim batches until there is nothing left; returns the ids in the order they came."""
    from tests.services import kit

    mine: list[int] = []
    while got := kit.take(limit, f"p{n}"):
        mine += [claimed.id for claimed in got]
    return mine


def work_until_done(n: int, limit: int, measure: str) -> int:
    """Claim, count by `measure` what runs then, end; until every task has ended. Returns the highest count."""
    from tests.services import kit

    highest, deadline = 0, time.monotonic() + 30
    while kit.count("finished_at IS NULL"):
        assert time.monotonic() < deadline, f"{kit.count('finished_at IS NULL')} tasks starve"
        got = kit.take(limit, f"p{n}")
        if got:
            highest = max(highest, kit.scalar(measure))
            assert not kit.finish(got)
    return highest
