"""The work that is measured, the same for everybody: a note that it began, then a pause.

A note is 24 bytes (number, process, time) in a file that its thread has mapped into memory: a note is no system call
and takes no lock, at which a thread would have to give up the interpreter and coroutines would not. Reading the notes
shows what ran twice, in which order and when. Only the standard library: this is imported by every peer's workers.
"""

import asyncio
import itertools
import mmap
import os
import struct
import threading
import time
from pathlib import Path
from typing import NamedTuple

_NOTE = struct.Struct("<qqd")
MOST = 2_000_000  # notes of a thread


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
    """Write down that it began."""
    mine: _Notes | None = getattr(_here, "notes", None)
    if mine is None or mine.pid != os.getpid():  # a fork has its own
        mine = _here.notes = _Notes()
    mine.many += 1
    _NOTE.pack_into(mine.file, mine.many * _NOTE.size, number, mine.pid, time.time())
    _NOTE.pack_into(mine.file, 0, mine.many, mine.pid, 0.0)  # the first place says how many there are


class _Notes:
    def __init__(self) -> None:
        self.pid, self.many = os.getpid(), 0
        with Path(os.environ["BENCH_DIR"], f"starts.{self.pid}.{next(_made)}").open("w+b") as file:
            file.truncate((MOST + 1) * _NOTE.size)  # takes no room before it is written
            self.file = mmap.mmap(file.fileno(), 0)


_here = threading.local()
_made = itertools.count()


def begun() -> int:
    """How many bodies have begun."""
    return sum(_many(path) for path in _files())


def starts() -> list[Start]:
    """All of them, in the order of their times."""
    found = []
    for path in _files():
        with path.open("rb") as file:
            content = file.read((_many(path) + 1) * _NOTE.size)
        found += [Start(*fields) for fields in _NOTE.iter_unpack(content[_NOTE.size :])]
    return sorted(found, key=lambda start: start.at)


def _files() -> list[Path]:
    return list(Path(os.environ["BENCH_DIR"]).glob("starts.*"))


def _many(path: Path) -> int:
    with path.open("rb") as file:
        header = file.read(_NOTE.size)
    return _NOTE.unpack(header)[0] if len(header) == _NOTE.size else 0


def check_once(jobs: int) -> None:
    """Refuse figures of a run in which a job was lost or doubled."""
    numbers = [start.number for start in starts()]
    if sorted(numbers) != list(range(jobs)):
        raise AssertionError(f"{jobs} jobs, {len(numbers)} starts, {len(set(numbers))} different ones")
