"""What a body prints or logs with Python's own means lands in its task's log."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from runtime.run import LONGEST_LINE, Run

_run: ContextVar[Run | None] = ContextVar("captured run", default=None)
_installed = False


@contextmanager
def into(run: Run) -> Iterator[None]:
    """Send what this thread prints and logs to the run's log."""
    token = _run.set(run)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, _Stream):
                stream.finish(run)
        _run.reset(token)


def install() -> None:
    """Put the capture in place, once a process."""
    global _installed
    if _installed:
        return
    _installed = True
    sys.stdout, sys.stderr = _Stream(sys.stdout, "info"), _Stream(sys.stderr, "warning")
    root = logging.getLogger()
    root.addHandler(_Handler(logging.INFO))
    root.setLevel(min(root.level or logging.INFO, logging.INFO))  # what is shown elsewhere, other handlers decide


class _Handler(logging.Handler):
    """Python's logging → the task's log."""

    def emit(self, record: logging.LogRecord) -> None:
        run = _run.get()
        if run is None:
            return
        level = "error" if record.levelno >= 40 else "warning" if record.levelno >= 30 else "info"
        try:
            run.log(_words(record), level=level, logger=record.name)
        except Exception:
            self.handleError(record)


def _words(record: logging.LogRecord) -> str:
    """The record's message; structlog hands over its fields in place of one."""
    event = record.msg.get("event") if isinstance(record.msg, dict) else None
    return record.getMessage() if event is None else str(event)


class _Stream:
    """A text stream that gives whole lines to the run whose body writes, and the rest to the real one."""

    def __init__(self, real: TextIO, level: str) -> None:
        self.uncaptured = self._real = real
        self._level = level
        self._parts: dict[int, str] = {}

    def write(self, text: str) -> int:
        run = _run.get()
        if run is None:
            return self._real.write(text)
        kept = self._parts.pop(run.task_id, "") + text
        *lines, rest = kept.split("\n") if len(kept) < 1_000_000 else [kept[:LONGEST_LINE], ""]
        for line in lines:
            run.log(line, level=self._level)
        if rest:
            self._parts[run.task_id] = rest[-LONGEST_LINE:]
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def finish(self, run: Run) -> None:
        """Whatever the body wrote last without a line's end."""
        rest = self._parts.pop(run.task_id, "")
        if rest:
            run.log(rest, level=self._level)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
