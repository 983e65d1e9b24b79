"""Group commit: one thread writes what all bodies of this process have to say, a few milliseconds' worth at a time.

A worker thread goes on as soon as its ending is handed over. Nobody is told "completed" before the commit. A crash in
that window repeats those attempts: at-least-once, as promised.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, Float, Integer, String, func, insert, select, update
from sqlmodel import Session

from models import Move, Outcome, Status, now, tables, transaction
from models.base import Json
from models.db import is_away
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.lifecycle.ending import Batch, Ending, already_ended, end

log = structlog.get_logger(__name__)

GAP_S = 0.002  # endings within it share a commit
MOST_ENDINGS = 2_000  # handed over and not committed: then threads wait
MOST_IN_BATCH = 500
PROGRESS_EVERY_S = 0.25
AGAIN_S = 0.2

Key = tuple[int, int]


class Writer(threading.Thread):
    """Collects endings, starts, progress and log lines, and commits them in batches."""

    def __init__(self) -> None:
        super().__init__(name="writer", daemon=True)
        self._changed = threading.Condition()
        self._endings: list[Ending] = []
        self._writing: list[Ending] = []
        self._starts: dict[Key, datetime] = {}
        self._progress: dict[Key, dict[str, Any]] = {}
        self._lines: list[dict[str, Any]] = []
        self._progress_due = 0.0
        self._stopping = False
        self.fenced: Any = None  # called with the endings that were refused
        self.written: Any = None  # called with all endings of a commit

    def hand_over(self, ending: Ending) -> None:
        """Take an ending; waits while too many are unwritten (the database is away)."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._endings) < MOST_ENDINGS or self._stopping)
            self._endings.append(ending)
            self._starts.pop((ending.task_id, ending.epoch), None)
            self._changed.notify_all()

    def started(self, key: Key, at: datetime | None) -> None:
        """A body has started and did not end at once."""
        with self._changed:
            if at is not None:
                self._starts[key] = at
                self._changed.notify_all()

    def progress(self, key: Key, values: dict[str, Any]) -> None:
        """The newest progress of an attempt; older ones that were not written are passed over."""
        with self._changed:
            self._progress[key] = {**values, "id": key[0], "epoch": key[1], "at": now()}
            self._changed.notify_all()

    def log(self, key: Key, line: dict[str, Any]) -> None:
        """A line for the task's log; waits while too many are unwritten."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._lines) < 5 * MOST_ENDINGS or self._stopping)
            self._lines.append({**line, "id": key[0], "epoch": key[1], "at": now()})
            self._changed.notify_all()

    def holds(self, key: Key) -> bool:
        """Whether an ending of this attempt waits to be committed."""
        with self._changed:
            return any(e.key == key for e in (*self._endings, *self._writing))

    def busy(self) -> bool:
        """Whether endings wait to be committed."""
        return bool(self._endings or self._writing)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all is written; False when time ran out."""
        deadline = time.monotonic() + (timeout_s if self.is_alive() else 0.0)
        with self._changed:
            self._progress_due = 0.0
            self._changed.notify_all()
            return self._changed.wait_for(self._empty, max(0.0, deadline - time.monotonic()))

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Write all there is and end; False when time ran out."""
        done = self.flush(timeout_s)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        return done

    def _empty(self) -> bool:
        return not (self._endings or self._writing or self._lines or self._progress or self._starts)

    def run(self) -> None:
        """Write until stopped; the database being away only makes it wait."""
        while True:
            with self._changed:
                while not self._something_due():
                    self._changed.wait(self._patience_s())
                if self._stopping and self._empty():
                    return
            if self._endings:
                time.sleep(GAP_S)
            self._write_batch()

    def _something_due(self) -> bool:
        progress = self._progress and time.monotonic() >= self._progress_due
        return bool(self._endings or self._lines or progress or self._starts) or self._stopping

    def _patience_s(self) -> float | None:
        return PROGRESS_EVERY_S if self._progress else None

    def _write_batch(self) -> None:
        with self._changed:
            endings, self._endings = self._endings[:MOST_IN_BATCH], self._endings[MOST_IN_BATCH:]
            self._writing = endings
            lines, self._lines = self._lines, []
            starts, self._starts = list(self._starts.items()), {}
            progress = self._take_progress({e.key for e in endings})
            self._changed.notify_all()
        try:
            self._persist(endings, lines, starts, progress)
        finally:
            with self._changed:
                self._writing = []
                self._changed.notify_all()

    def _take_progress(self, ending: set[Key]) -> list[dict[str, Any]]:
        due = time.monotonic() >= self._progress_due
        taken = [key for key in self._progress if due or key in ending]
        if due and taken:
            self._progress_due = time.monotonic() + PROGRESS_EVERY_S
        return [self._progress.pop(key) for key in taken]

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
                    write_details(session, lines, starts, progress)
                    fenced = end(session, batch) if endings else []
            except Exception as error:
                if is_away(error):
                    if not was_away:
                        log.warning(
                            "the database is away; endings wait", endings=len(endings), error=type(error).__name__
                        )
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


def _unwritable(ending: Ending, error: Exception) -> Ending:
    words = f"its ending could not be stored: {type(error).__name__}"
    return replace(
        ending, move=Move.fail, outcome=Outcome.failed, result=None, error_class="Unwritable", error_text=words,
        traceback=None, fingerprint="unwritable", run_at=None, extras={}, tried=True,
    )  # fmt: skip


def write_details(
    session: Session, lines: list[dict[str, Any]], starts: list[Any], progress: list[dict[str, Any]]
) -> None:
    """Log lines, starts and progress of attempts that still own their task: a zombie writes nothing."""
    if lines:
        rows = [{name: value for name, value in line.items() if value is not None} for line in lines]
        session.execute(_insert_lines(), {"given": packed(rows)})
    if starts:
        rows = [{"id": key[0], "epoch": key[1], "at": at} for key, at in starts]
        session.execute(_update_starts(), {"given": packed(rows)})
    if progress:
        rows = [{name: value for name, value in row.items() if value is not None} for row in progress]
        session.execute(_update_progress(), {"given": packed(rows)})


def _owned(v: Any) -> Any:
    t = tables.tasks.c
    return (t.id == v.id) & (t.epoch == v.epoch) & (t.status == Status.running)


@per_database
def _insert_lines() -> Any:
    columns = {
        "id": BigInteger(), "epoch": Integer(), "seq": Integer(), "at": WHEN, "level": String(),
        "message": String(), "fields": Json,
    }  # fmt: skip
    v = given(columns).c
    picked = select(v.id, v.epoch, v.seq, v.at, v.level, v.message, v.fields).join(tables.tasks, _owned(v))
    names = ["task_id", "epoch", "seq", "at", "level", "message", "fields"]
    return insert(tables.task_logs).from_select(names, picked, include_defaults=False)


@per_database
def _update_starts() -> Any:
    v = given({"id": BigInteger(), "epoch": Integer(), "at": WHEN}).c
    return update(tables.tasks).where(_owned(v)).values(started_at=v.at)


@per_database
def _update_progress() -> Any:
    columns: dict[str, Any] = {
        "id": BigInteger(), "epoch": Integer(), "at": WHEN, "done": Float(), "total": Float(), "percent": Float(),
        "note": String(), "step": String(),
    }  # fmt: skip
    v = given(columns).c
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(_owned(v))
        .values(
            progress_done=v.done, progress_total=v.total, progress_percent=v.percent, progress_note=v.note,
            progress_step=func.coalesce(v.step, t.progress_step), progress_at=v.at, updated_at=v.at,
        )
    )  # fmt: skip
