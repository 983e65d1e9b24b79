"""The work that is measured, the same for everybody: a note that it began, then a pause.

A note is 24 bytes in one file that all workers append to: number, process, time. Counting it is a look at the file's
size; reading it shows what ran twice, in which order and when. This module needs the standard library alone: it is
imported by every peer's workers.
"""

import asyncio
import os
import struct
import time
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_NOTE = struct.Struct("<qqd")


class Start(NamedTuple):
    """A body that began."""

    number: int
    pid: int
    at: float  # seconds since the epoch


def work(number: int, seconds: float) -> int:
    """The body of every job; returns its number."""
    note(number)
    if seconds:
        time.sleep(seconds)
    return number


async def work_async(number: int, seconds: float) -> int:
    """The same for those whose jobs are coroutines."""
    note(number)
    if seconds:
        await asyncio.sleep(seconds)
    return number


def note(number: int) -> None:
    """Write down that it began. Appending so few bytes is atomic between processes."""
    os.write(_file(), _NOTE.pack(number, os.getpid(), time.time()))


@lru_cache(1)
def _file() -> int:
    return os.open(_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def _path() -> Path:
    return Path(os.environ["BENCH_DIR"], "starts")


def begun() -> int:
    """How many bodies have begun."""
    return _path().stat().st_size // _NOTE.size if _path().exists() else 0


def starts(since: int = 0) -> list[Start]:
    """All of them, or those after the first so many, in the order of their notes."""
    if not _path().exists():
        return []
    with _path().open("rb") as file:
        file.seek(since * _NOTE.size)
        content = file.read()
    return [Start(*fields) for fields in _NOTE.iter_unpack(content[: len(content) - len(content) % _NOTE.size])]


def check_once(jobs: int) -> None:
    """Refuse figures of a run in which a job was lost or doubled."""
    numbers = [start.number for start in starts()]
    if sorted(numbers) != list(range(jobs)):
        raise AssertionError(f"{jobs} jobs, {len(numbers)} starts, {len(set(numbers))} different ones")
