"""Writers of one SQLite file take turns at a lock file, which passes the turn on within a millisecond.

SQLite itself only asks again, with pauses that grow to 100 ms: two busy processes would wait more than they write.
Nothing depends on a turn but speed: who gets none goes on without, and SQLite's own lock decides.

It is not fair: a process whose threads stand in line passes the turn on among them before others notice. What must not
wait behind a crowd, as a beat, goes first.

On a slow disk patience is worth more than speed: those who go on without a turn compete for SQLite's lock with the beat
that has one, and are many. It ends only for the sake of a process that was frozen in its turn, which is rare.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_S = 10.0
FIRST_PATIENCE_S = 4.0  # well below a lease
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.0002, 0.002


class Turnstile:
    """One a process: its threads line up at a lock in memory, the first of them at the file."""

    def __init__(self, path: str) -> None:
        self._file, self._file_of_first = _open(path), _open(path)  # a lock belongs to what was opened
        self._first, self._look = _open(f"{path}-first"), _open(f"{path}-first")
        self._threads, self._firsts = threading.Lock(), threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for one's turn, but not for long; the value: whether it came."""
        deadline = time.monotonic() + PATIENCE_S
        if not self._threads.acquire(timeout=PATIENCE_S):
            yield False
            return
        try:
            mine = _wait(self._file, deadline, self._somebody_goes_first)
            try:
                yield mine
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    @contextmanager
    def first(self) -> Iterator[bool]:
        """The same, before all who are not inside yet."""
        deadline = time.monotonic() + FIRST_PATIENCE_S
        if not self._firsts.acquire(timeout=FIRST_PATIENCE_S):
            yield False
            return
        try:
            try:
                mine = _wait(self._first, deadline) and _wait(self._file_of_first, deadline)
            finally:
                fcntl.flock(self._first, fcntl.LOCK_UN)
            try:
                yield mine
            finally:
                fcntl.flock(self._file_of_first, fcntl.LOCK_UN)
        finally:
            self._firsts.release()

    def _somebody_goes_first(self) -> bool:
        try:
            fcntl.flock(self._look, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(self._look, fcntl.LOCK_UN)
        return False

    def close(self) -> None:
        """Give the files back."""
        for file in (self._file, self._file_of_first, self._first, self._look):
            os.close(file)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _wait(file: int, deadline: float, held_up: Callable[[], bool] = lambda: False) -> bool:
    """Lock the file, once nothing holds it up; False when time ran out."""
    pause = FIRST_PAUSE_S
    while time.monotonic() < deadline:
        if not held_up():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                return True
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
    return False
