"""Writers of one SQLite file take turns at a lock file, which passes the turn on within a millisecond.

SQLite itself only asks again, with pauses that grow to 100 ms: two busy processes would wait more than they write.
Nothing depends on a turn but speed: who gets none goes on without, and SQLite's own lock decides.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.0002, 0.002


class Turnstile:
    """One a process: its threads line up at a lock in memory, the first of them at the file."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._threads = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, but not for long."""
        deadline = time.monotonic() + PATIENCE_S
        if not self._threads.acquire(timeout=PATIENCE_S):
            yield
            return
        try:
            self._wait(deadline)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def _wait(self, deadline: float) -> None:
        pause = FIRST_PAUSE_S
        while time.monotonic() < deadline:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
            else:
                return

    def close(self) -> None:
        """Give the file back."""
        os.close(self._file)
