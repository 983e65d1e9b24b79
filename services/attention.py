"""What is not as it should be: silent and dead processes, tasks that are stuck, lines that nobody serves.

Bounded look-ups by index: what is asked about is what lives, never the history.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import case, func, select, text

from models import Status, Worker, now, reading, tables
from models.task import DUE, HELD, RUNNING
from services import queues, stats
from settings import settings

MOST_RUNNING = 2_000
MOST_PROCESSES = 500
DIED_LATELY = timedelta(minutes=15)
SILENT_AT_MOST = timedelta(hours=1)  # a process that was silent for longer belongs to the past
QUIET_S = 600.0  # a task that told of its progress before, and has not for so long
HELD_LONG = timedelta(minutes=15)
MOST_HELD = 1_000  # are counted
DIED = "its process"  # how the reason of a process begins that did not end by itself

_worker = tables.workers.c
_task = tables.tasks.c


class Trouble(StrEnum):
    """What may be wrong with a task that runs."""

    abandoned = "abandoned"  # its lease ran out and nobody took it back
    overdue = "overdue"  # past its timeout
    deaf = "deaf"  # asked to stop, and does not
    quiet = "quiet"  # no progress for long, though it had told of some


@dataclass(frozen=True, slots=True)
class Stuck:
    """A running task with a trouble, and since when."""

    task_id: int
    type: str
    worker: str | None
    trouble: Trouble
    since: datetime


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of the last minutes."""

    alive: list[Worker]  # of every kind
    silent: list[Worker]  # not stopped, and not heard of for some beats
    died: list[Worker]  # in the last 15 minutes

    def of(self, kind: str) -> list[Worker]:
        """Those of a kind that live."""
        return [one for one in self.alive if one.kind == kind]


def silence(kind: str = "worker") -> timedelta:
    """For how long a process of this kind may be silent before somebody should know."""
    own = settings()
    beats_s = own.beat_s if kind == "worker" else min(10.0, own.lease_s)
    return timedelta(seconds=max(3 * beats_s, 0.4 * own.lease_s))


def processes() -> Processes:
    """Who beats, who fell silent, who died."""
    at = now()
    latest_first = (
        select(Worker).where(_worker.last_beat_at > at - SILENT_AT_MOST)
        .order_by(_worker.last_beat_at.desc()).limit(MOST_PROCESSES)
    )  # fmt: skip
    with reading() as session:
        found = list(session.execute(latest_first).scalars())
    going = [one for one in found if one.stopped_at is None]
    died = [
        one for one in found
        if one.stopped_at is not None and one.stopped_at > at - DIED_LATELY and (one.stop_reason or "").startswith(DIED)
    ]  # fmt: skip
    silent = [one for one in going if at - one.last_beat_at > silence(one.kind)]
    return Processes(
        sorted((one for one in going if one not in silent), key=lambda one: (one.kind != "worker", one.name)),
        silent,
        sorted(died, key=lambda one: one.stopped_at or at, reverse=True),
    )


def running() -> list[Any]:
    """The tasks that run, the longest first, at most 2,000: rows of what tells how they do."""
    columns = (
        _task.id, _task.type, _task.queue, _task.title, _task.worker, _task.started_at, _task.lease_until,
        _task.timeout_s, _task.cancel_requested_at, _task.progress_percent, _task.progress_note, _task.progress_at,
    )  # fmt: skip
    query = select(*columns).where(text(RUNNING)).order_by(_task.lease_until).limit(MOST_RUNNING)
    with reading() as session:
        rows = session.execute(query).all()
    return sorted(rows, key=lambda row: (row.started_at or now(), row.id))


def stuck(rows: list[Any]) -> list[Stuck]:
    """Those of the running tasks that need a person, the longest first."""
    found = [Stuck(row.id, row.type, row.worker, *trouble) for row in rows if (trouble := _trouble(row)) is not None]
    return sorted(found, key=lambda one: one.since)


def _trouble(row: Any) -> tuple[Trouble, datetime] | None:
    at, own = now(), settings()
    lease = timedelta(seconds=own.lease_s)
    if row.lease_until is not None and row.lease_until + lease < at:
        return Trouble.abandoned, row.lease_until
    grace = timedelta(seconds=2 * own.cancel_grace_s + 5)
    if row.cancel_requested_at is not None and row.cancel_requested_at + grace < at:
        return Trouble.deaf, row.cancel_requested_at
    if row.timeout_s is not None and row.started_at is not None:
        due = row.started_at + timedelta(seconds=row.timeout_s)
        if due + grace < at:
            return Trouble.overdue, due
    if row.progress_at is not None and (at - row.progress_at).total_seconds() > QUIET_S:
        return Trouble.quiet, row.progress_at
    return None


def unserved(stand: list[queues.QueueState], live: list[Worker]) -> list[tuple[str, int]]:
    """Queues with tasks in line that no live worker serves, with how many."""
    workers = [one for one in live if one.kind == "worker" and one.draining_at is None]
    served = {name for one in workers for name in one.queues or ()}
    if any(one.queues is None for one in workers):
        return []
    return [(queue.name, queue.depth) for queue in stand if queue.depth and queue.name not in served]


def unknown_types(live: list[Worker]) -> list[tuple[str, int]]:
    """Types with tasks in line that no live worker knows, with how many."""
    known = {name for one in live if one.kind == "worker" for name in one.types}
    return [(name, n) for name, n in in_line_by_type().items() if n > 0 and name not in known]


def in_line_by_type() -> dict[str, int]:
    """How many tasks of each type stand in line."""
    return {name: n for (name, status), n in stats.by_type().items() if status is Status.queued and n}


def late_release() -> datetime | None:
    """The time of the waiting task whose time came first and that has not joined its line; None where none is late."""
    due = select(_task.run_at).where(text(DUE), _task.run_at < now() - timedelta(seconds=15))
    with reading() as session:
        return session.execute(due.order_by(_task.run_at).limit(1)).scalar()


@dataclass(frozen=True, slots=True)
class Held:
    """Tasks that wait for nothing but a person's word."""

    many: int  # at most `MOST_HELD`
    task_id: int  # the one that is held the longest …
    reason: str
    since: datetime  # … and since when, or since its last change


def held() -> Held | None:
    """The tasks that have been held for longer than `HELD_LONG`; None where there are none."""
    long = text(HELD), _task.updated_at < now() - HELD_LONG
    oldest = select(_task.id, _task.held_reason, _task.updated_at).where(*long).order_by(_task.updated_at)
    with reading() as session:
        first = session.execute(oldest.limit(1)).first()
        if first is None:
            return None
        some = select(_task.updated_at).where(*long).limit(MOST_HELD).subquery()
        many = session.execute(select(func.count()).select_from(some)).scalar_one()
    return Held(many, first.id, first.held_reason, first.updated_at)


@dataclass(frozen=True, slots=True)
class Deploy:
    """Workers of another version than before began to start."""

    at: datetime
    version: str


def deploys(since: datetime) -> list[Deploy]:
    """The changes of the workers' version since then, oldest first; from the rows of processes, kept for a week."""
    w = _worker
    before = case((w.started_at < since, 1), else_=0)
    starts = (
        select(w.code_version, before, func.min(w.started_at), func.max(w.started_at))
        .where(w.kind == "worker")
        .group_by(w.code_version, before)
    )
    with reading() as session:
        rows = session.execute(starts).all()
    earlier = max((row for row in rows if row[1]), key=lambda row: row[3], default=None)
    current, found = earlier[0] if earlier is not None else None, []
    for version, _, first, _ in sorted((row for row in rows if not row[1]), key=lambda row: row[2]):
        if current is not None and version != current:
            found.append(Deploy(first, version))
        current = version
    return found
