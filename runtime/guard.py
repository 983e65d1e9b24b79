"""The dead man's switch: a process that can no longer do its work ends, so that its supervisor starts another."""

import faulthandler
import sys
import threading
from collections.abc import Iterable

from models.connect import SQLITE_WAIT_S
from models.db import is_postgresql
from settings import settings


class Guard:
    """Knows the threads that the process cannot do without, and ends it when its beat stops altogether.

    That end comes from outside the interpreter, with the stacks of all threads on the error stream: a body may hold the
    interpreter's lock for ever, and then no Python code of ours runs any more.
    """

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._silence_s = 3 * settings().lease_s + (0 if is_postgresql() else SQLITE_WAIT_S)

    def include(self, threads: Iterable[threading.Thread]) -> None:
        """These must live as long as the process works."""
        self._threads += threads

    def dead(self) -> str | None:
        """The name of a thread that has died; None while all live."""
        return next((t.name for t in self._threads if not t.is_alive()), None)

    def hear(self) -> None:
        """The beat goes on. Not heard for three leases (and SQLite's patience), the process ends with code 1."""
        faulthandler.dump_traceback_later(self._silence_s, exit=True, file=sys.__stderr__ or sys.stderr)

    def dismiss(self) -> None:
        """The process ends in good order."""
        faulthandler.cancel_dump_traceback_later()
