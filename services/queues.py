"""Queues and concurrency keys: pause, resume, limit; and how they stand."""

import difflib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select, text, update
from sqlmodel import Session

from models import KeyLimit, Role, Status, now, reading, tables, transaction
from models.task import IN_LINE
from models.upsert import insert_missing
from services import audit, bell, checks, stats
from services.errors import NotFound
from services.lifecycle import keys

log = structlog.get_logger(__name__)

MOST_RUNNING = 100_000
MOST_RUNNING_OF_KEY = 10_000
HEADS = 20  # rows looked at for each priority, to find what waits longest

# Of every queue: hops from priority to priority by index, instead of reading the line. Within a priority the line is
# in the order of ids, so what waits longest stands at its head, but for tasks that came back into it a moment ago.
LONGEST_WAIT = text(f"""
    WITH RECURSIVE steps (queue, priority) AS (
        SELECT name, (SELECT max(tasks.priority) FROM tasks WHERE tasks.queue = queues.name AND {IN_LINE}) FROM queues
        UNION ALL
        SELECT steps.queue, (
            SELECT max(tasks.priority) FROM tasks
            WHERE tasks.queue = steps.queue AND {IN_LINE} AND tasks.priority < steps.priority
        ) FROM steps WHERE steps.priority IS NOT NULL
    )
    SELECT queue, (
        SELECT min(queued_at) FROM (
            SELECT queued_at FROM tasks
            WHERE tasks.queue = steps.queue AND {IN_LINE} AND tasks.priority = steps.priority ORDER BY id LIMIT {HEADS}
        ) AS head
    ) AS since
    FROM steps WHERE priority IS NOT NULL
""").columns(since=tables.tasks.c.queued_at.type)


@dataclass(frozen=True, slots=True)
class QueueState:
    """How a queue stands."""

    name: str
    depth: int  # queued: only a free worker is missing, or room
    pending: int
    running: int
    oldest_queued_at: datetime | None  # of those in line; about, see LONGEST_WAIT
    max_running: int | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None

    @property
    def paused(self) -> bool:
        """Whether no worker takes from it."""
        return self.paused_at is not None


def list_queues() -> list[QueueState]:
    """All queues by name."""
    with reading() as session:
        rows = session.execute(select(tables.queues).order_by(tables.queues.c.name)).all()
        counts, oldest = stats.by_queue(), _oldest(session)
        return [_state(row, counts.get(row.name, {}), oldest) for row in rows]


def get(name: str) -> QueueState:
    """One queue. Raises `NotFound`, with names that are near."""
    with reading() as session:
        row = session.execute(select(tables.queues).where(tables.queues.c.name == _known(session, name))).one()
        return _state(row, stats.by_status(queue=name), _oldest(session))


def pause(name: str, reason: str) -> QueueState:
    """Let no worker take from the queue; what runs goes on. A claim already under way may still take its batch."""
    reason = checks.name(reason, "reason", 500)
    audit.require(Role.operator)
    with transaction() as session:
        was = _locked(session, name)
        if was.paused_at is None or was.pause_reason != reason:
            by = str(audit.current())[:120]
            _set(session, name, paused_at=was.paused_at or now(), paused_by=by, pause_reason=reason)
            audit.record("pause", "queue", name, before=_pause_of(was), after={"paused": True}, reason=reason)
            log.info("queue paused", queue=name, by=by)
        return get(name)


def resume(name: str, reason: str | None = None) -> QueueState:
    """Let workers take from the queue again."""
    reason = None if reason is None else checks.name(reason, "reason", 500)
    audit.require(Role.operator)
    with transaction() as session:
        was = _locked(session, name)
        if was.paused_at is not None:
            _set(session, name, paused_at=None, paused_by=None, pause_reason=None)
            audit.record("resume", "queue", name, before=_pause_of(was), after={"paused": False}, reason=reason)
            bell.ring_after_commit(name)
            log.info("queue resumed", queue=name, by=str(audit.current()))
        return get(name)


def set_max_running(name: str, n: int | None) -> QueueState:
    """At most so many of the queue's tasks run at once, over all workers; None: no limit. What runs goes on."""
    if n is not None:
        checks.whole(n, "max_running", 1, MOST_RUNNING)
    audit.require(Role.operator)
    with transaction() as session:
        was = _locked(session, name)
        if was.max_running != n:
            _set(session, name, max_running=n)
            audit.record(
                "limit", "queue", name, before={"max_running": was.max_running}, after={"max_running": n}
            )  # fmt: skip
            bell.ring_after_commit(name)
        return get(name)


def set_key_limit(key: str, n: int) -> int:
    """At most so many tasks with this concurrency key run at once, over all queues and workers; what runs goes on.

    Returns how many that waited for room may go on.
    """
    checks.name(key, "concurrency_key", 200)
    checks.whole(n, "max_running", 1, MOST_RUNNING_OF_KEY)
    audit.require(Role.operator)
    with transaction() as session:
        insert_missing(session, KeyLimit, [{"key": key, "max_running": 1}])
        was = keys.lock_gates(session, [key])[key]
        gate = update(tables.key_limits).where(tables.key_limits.c.key == key)
        session.execute(gate.values(max_running=n))
        audit.record("limit", "key", key[:100], before={"max_running": was}, after={"max_running": n})
        return keys.unpark(session, {key: n})


def _state(row: Any, counts: dict[Status, int], oldest: dict[str, datetime]) -> QueueState:
    depth = counts.get(Status.queued, 0)
    return QueueState(
        name=row.name, depth=depth, pending=counts.get(Status.pending, 0), running=counts.get(Status.running, 0),
        oldest_queued_at=oldest.get(row.name) if depth else None, max_running=row.max_running,
        paused_at=row.paused_at, paused_by=row.paused_by, pause_reason=row.pause_reason,
    )  # fmt: skip


def _oldest(session: Session) -> dict[str, datetime]:
    """Since when the oldest in the line of each queue waits."""
    found: dict[str, datetime] = {}
    for queue, since in session.execute(LONGEST_WAIT).all():
        if since is not None:
            found[queue] = min(since, found.get(queue, since))
    return found


def _locked(session: Session, name: str) -> Any:
    """The queue's row, which is also the gate that limited claims lock."""
    c = tables.queues.c
    row = session.execute(select(*c).where(c.name == _known(session, name)).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"queue {name} is gone")
    return row


def _set(session: Session, name: str, **values: Any) -> None:
    session.execute(update(tables.queues).where(tables.queues.c.name == name).values(**values))


def _pause_of(row: Any) -> dict[str, Any]:
    return {"paused": row.paused_at is not None, "reason": row.pause_reason}


def _known(session: Session, name: Any) -> str:
    names = session.execute(select(tables.queues.c.name)).scalars().all()
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), names, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(names)[:20]) or 'none yet'}"
    raise NotFound(f"there is no queue {checks.shortened(name)}; {hint}")
