"""What a body sees of its own attempt."""

import threading
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from services import checks
from services.errors import InvalidInput

T = TypeVar("T")

MOST_LINES = 10_000  # of log, an attempt
MOST_LOG_CHARACTERS = 1024 * 1024
LONGEST_LINE = 8_192
LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Need:
    """A finished task that this one waited for."""

    task_id: int
    type: str
    title: str
    status: str
    result: Any


class Link(Protocol):
    """How a run reaches its worker: directly, or from an isolated child through a pipe."""

    def checkpoint(self) -> None:
        """Raise `Interrupted` if the body is to leave."""

    def progress(self, values: dict[str, Any]) -> None:
        """Show how far it is; coalesced."""

    def log(self, line: dict[str, Any]) -> None:
        """Keep a line."""

    def artifact(self, name: str, data: bytes | Path, media_type: str | None) -> Any:
        """Store a file; returns its row."""

    def artifact_path(self, artifact_id: int) -> Path:
        """A stored file, as a local one."""

    def needs(self) -> list[Need]:
        """The tasks it waited for."""


class Run:
    """One attempt as its body sees it: progress, checkpoints, log, artifacts, what it needed."""

    def __init__(self, task_id: int, attempt: int, link: Link) -> None:
        self.task_id = task_id
        self.attempt = attempt  # 1 for the first try
        self._link = link
        self._lines = 0
        self._characters = 0
        self._lock = threading.Lock()
        self._needs: list[Need] | None = None

    def checkpoint(self) -> None:
        """A place where a cancellation, a timeout or the worker's stop takes effect."""
        self._link.checkpoint()

    def track(self, items: Iterable[T], note: str = "") -> Iterator[T]:
        """The items, one by one, with progress and a checkpoint before each; `{}` in the note is the item."""
        total = len(items) if isinstance(items, Sized) else None
        done = 0
        for done, item in enumerate(items):
            self.progress(done, total, note.format(item) if "{}" in note else note)
            yield item
        if total:
            self.progress(done + 1, total, note.format("done") if note == "{}" else "")

    def progress(self, done: float, total: float | None = None, note: str = "", *, step: str | None = None) -> None:
        """Show how far it is; also a checkpoint. Raises `ValueError` for a number that cannot be."""
        given = f"progress {done!r} of {total!r} cannot be: give 0 ≤ done ≤ total, total above 0"
        try:
            done, total = float(done), None if total is None else float(total)
        except OverflowError:
            raise ValueError(given) from None
        if not (0 <= done < float("inf")) or (total is not None and not (0 < total < float("inf") and done <= total)):
            raise ValueError(given)
        percent = None if total is None else 100.0 * (done / total)
        values = {"done": done, "total": total, "percent": percent, "note": clean(str(note))[:500] or None}
        values["step"] = None if step is None else clean(str(step))[:100]
        self._link.checkpoint()
        self._link.progress(values)

    def log(self, message: str, level: str = "info", **fields: Any) -> None:
        """Keep a line in the task's log; beyond 10,000 lines or 1 MiB, lines are dropped and that is said."""
        if level not in LEVELS:
            raise ValueError(f"level {level!r} is none of {', '.join(LEVELS)}")
        message = clean(str(message))[:LONGEST_LINE]
        with self._lock:
            if self._lines > MOST_LINES or self._characters > MOST_LOG_CHARACTERS:
                return
            self._lines += 1
            self._characters += len(message)
            seq = self._lines
            full = self._lines > MOST_LINES or self._characters > MOST_LOG_CHARACTERS
        if full:
            message, level, fields = "the log is full; further lines are dropped", "warning", {}
        self._link.log({"seq": seq, "level": level, "message": message, "fields": _plain(fields)})

    def artifact(self, name: str, data: bytes | Path, media_type: str | None = None) -> Any:
        """Store a file with the task, write-once; it shows once the attempt completes. Returns its row."""
        return self._link.artifact(name, data, media_type)

    def artifact_path(self, artifact_id: int) -> Path:
        """A local file with the artifact's content, for reading."""
        return self._link.artifact_path(artifact_id)

    @property
    def needs(self) -> list[Need]:
        """The finished tasks that this one waited for, in the order of their ids."""
        if self._needs is None:
            self._needs = self._link.needs()
        return self._needs


def clean(text: str) -> str:
    """Text that either database can hold."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _plain(fields: dict[str, Any]) -> dict[str, Any] | None:
    if not fields:
        return None
    try:
        checks.plain_json(fields, "")
        checks.dumped(fields, "", 16 * 1024)
    except InvalidInput:
        return {clean(name)[:100]: _shown(value) for name, value in list(fields.items())[:50]}
    return fields


def _shown(value: Any) -> str:
    try:
        return clean(checks.shortened(value))
    except Exception:  # a value may bring code of its own
        return f"({type(value).__name__})"
