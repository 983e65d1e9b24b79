"""Group commit: one thread writes what all bodies of this process have to say, a few milliseconds' worth at a time.

A worker thread goes on as soon as its ending is handed over. Nobody is told "completed" before the commit. A crash in
that window repeats those attempts: at-least-once, as promised.

Handing over takes no lock while there is room: one operation on a deque or a dict is safe by itself, and a lock that
all threads need for every task becomes a convoy, in which each waits for the next and for the interpreter in turn.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

import structlog

from models import Move, Outcome, now, transaction
from models.db import is_away
from models.unwritable import in_brief
from services.lifecycle import details
from services.lifecycle.batch import portions
from services.lifecycle.ending import Batch, Ending, already_ended, end

log = structlog.get_logger(__name__)

GAP_S = 0.002  # endings within it share a commit
MOST_ENDINGS = 2_000  # handed over and not committed: then threads wait
MOST_LINES = 5 * MOST_ENDINGS
MOST_IN_BATCH = 500
PROGRESS_EVERY_S = 0.25
AGAIN_S = 0.2

Key = tuple[int, int]


class Writer(threading.Thread):
    """Collects endings, starts, progress and log lines, and commits them in batches."""

    def __init__(self) -> None:
        super().__init__(name="writer", daemon=True)
        self._due = threading.Event()  # there is something to write
        self._written = threading.Condition()  # something was written, so there is room again
        self._endings: deque[Ending] = deque()
        self._writing: list[Ending] = []
        self._at_work = False  # a batch is taken out and not committed
        self._starts: dict[Key, datetime] = {}
        self._progress: dict[Key, dict[str, Any]] = {}
        self._lines: deque[dict[str, Any]] = deque()
        self._progress_due = 0.0
        self._stopping = False
        self.fenced: Any = None  # called with the endings that were refused
        self.written: Any = None  # called with all endings of a commit

    def hand_over(self, ending: Ending) -> None:
        """Take an ending; waits while too many are unwritten (the database is away)."""
        self._wait_for_room(self._endings, MOST_ENDINGS)
        self._endings.append(ending)
        self._starts.pop(ending.key, None)
        self._wake()

    def started(self, key: Key, at: datetime | None) -> None:
        """A body has started and did not end at once."""
        if at is not None:
            self._starts[key] = at
            self._wake()

    def progress(self, key: Key, values: dict[str, Any]) -> None:
        """The newest progress of an attempt; older ones that were not written are passed over."""
        self._progress[key] = {**values, "id": key[0], "epoch": key[1], "at": now()}
        self._wake()

    def log(self, key: Key, line: dict[str, Any]) -> None:
        """A line for the task's log; waits while too many are unwritten."""
        self._wait_for_room(self._lines, MOST_LINES)
        self._lines.append({**line, "id": key[0], "epoch": key[1], "at": now()})
        self._wake()

    def holds(self) -> set[Key]:
        """The attempts whose endings wait to be committed."""
        return {ending.key for ending in (*self._endings, *self._writing)}

    def busy(self) -> bool:
        """Whether endings wait to be committed."""
        return bool(self._endings or self._writing)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is written; False when time ran out."""
        self._progress_due = 0.0
        self._wake()
        with self._written:
            return self._written.wait_for(self._empty, timeout_s if self.is_alive() else 0.0)

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Write all there is and end; False when time ran out."""
        done = self.flush(timeout_s)
        self._stopping = True
        self._wake()
        with self._written:
            self._written.notify_all()
        return done

    def _wake(self) -> None:
        if not self._due.is_set():  # to set it takes its lock
            self._due.set()

    def _wait_for_room(self, waiting: deque[Any], most: int) -> None:
        if len(waiting) >= most:
            with self._written:
                self._written.wait_for(lambda: len(waiting) < most or self._stopping)

    def _empty(self) -> bool:
        return not (self._at_work or self._endings or self._lines or self._progress or self._starts)

    def run(self) -> None:
        """Write until stopped; the database being away only makes it wait."""
        while not (self._stopping and self._empty()):
            self._due.wait(PROGRESS_EVERY_S if self._progress else None)
            self._due.clear()  # what comes from here on sets it anew
            if self._endings:
                time.sleep(GAP_S)
            if self._endings or self._lines or self._starts or self._progress_is_due():
                self._write_batch()
            if self._endings:
                self._wake()

    def _progress_is_due(self) -> bool:
        return bool(self._progress) and time.monotonic() >= self._progress_due

    def _write_batch(self) -> None:
        self._at_work = True
        self._writing = _first_portion(list(islice(self._endings, MOST_IN_BATCH)))
        for _ in self._writing:  # only now, so that `holds` misses none
            self._endings.popleft()
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        starts = [(key, at) for key in list(self._starts) if (at := self._starts.pop(key, None)) is not None]
        progress = self._take_progress({ending.key for ending in self._writing})
        try:
            self._persist(self._writing, lines, starts, progress)
        finally:
            self._writing, self._at_work = [], False
            with self._written:
                self._written.notify_all()

    def _take_progress(self, ending: set[Key]) -> list[dict[str, Any]]:
        due = self._progress_is_due()
        if due:
            self._progress_due = time.monotonic() + PROGRESS_EVERY_S
        return [self._progress.pop(key) for key in list(self._progress) if due or key in ending]

    def _persist(
        self, endings: Sequence[Ending], lines: list[dict[str, Any]], starts: list[Any], progress: list[dict[str, Any]]
    ) -> None:
        """Commit, however long the database is away; what cannot be written at all is told apart from the rest."""
        was_away, given_endings = False, endings
        while True:
            try:
                if was_away and endings:  # the last commit may have happened although nobody told us
                    done = already_ended(endings)
                    endings = [e for e in endings if e.key not in done]
                batch = Batch(endings)
                with transaction() as session:
                    details.tell(session, lines, starts, progress)
                    fenced = end(session, batch) if endings else []
            except Exception as error:
                if is_away(error):
                    if not was_away:
                        log.warning("the database is away; endings wait", endings=len(endings), error=in_brief(error))
                    was_away = True
                    time.sleep(AGAIN_S)
                    continue
                self._divide(endings, lines, error)
                return
            if was_away:
                log.info("the database is back", endings=len(endings))
            if self.written is not None:
                self.written(given_endings)
            if fenced and self.fenced is not None:
                self.fenced(fenced)
            return

    def _divide(self, endings: Sequence[Ending], lines: list[dict[str, Any]], error: Exception) -> None:
        """One bad ending must not fail its batch."""
        log.error("a batch could not be written", endings=len(endings), lines=len(lines), error=str(error)[:300])
        if lines and (endings or len(lines) > 1):
            for line in lines:
                self._persist([], [line], [], [])
            self._persist(endings, [], [], [])
        elif len(endings) > 1:
            middle = len(endings) // 2
            self._persist(endings[:middle], [], [], [])
            self._persist(endings[middle:], [], [], [])
        elif endings and endings[0].error_class != "Unwritable":
            self._persist([_unwritable(endings[0], error)], [], [], [])


def _first_portion(endings: list[Ending]) -> list[Ending]:
    sizes = [len(ending.result or "") for ending in endings]
    return endings[next(portions(sizes, MOST_IN_BATCH), slice(0))]


def _unwritable(ending: Ending, error: Exception) -> Ending:
    words = f"its ending could not be stored: {type(error).__name__}"
    return replace(
        ending, move=Move.fail, outcome=Outcome.failed, result=None, error_class="Unwritable", error_text=words,
        traceback=None, fingerprint="unwritable", run_at=None, extras={}, tried=True,
    )  # fmt: skip
