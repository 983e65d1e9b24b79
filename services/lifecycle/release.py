"""pending → queued when the time has come; waiting → cancelled when it came too late. One batch a call."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, text, update
from sqlmodel import Session

from models import Move, Status, now, tables, transaction
from models.db import is_postgresql, reading
from models.task import DUE, MAY_EXPIRE
from services import bell
from services.lifecycle.batch import WHEN
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.keys import parked_keys, unpark_all
from services.lifecycle.needs import settle

BATCH = 500


def release(limit: int = BATCH) -> int:
    """Queue what is due: its time has come and nothing else holds it. Returns how many."""
    if not _any(f"{DUE} AND run_at <= :now"):
        return 0
    with transaction() as session:
        rows = _locked(session, f"{DUE} AND run_at <= :now ORDER BY run_at", limit)
        if rows:
            at = now()
            _set(session, rows, Move.release, status=Status.queued, queued_at=at, updated_at=at)
            for queue in {row.queue for row in rows}:
                bell.ring_after_commit(queue)
        return len(rows)


def expire(limit: int = BATCH) -> int:
    """Cancel what has not started by its `expires_at`. Returns how many."""
    if not _any(f"{MAY_EXPIRE} AND expires_at <= :now"):
        return 0
    with transaction() as session:
        rows = _locked(session, f"{MAY_EXPIRE} AND expires_at <= :now ORDER BY expires_at", limit)
        if rows:
            at = now()
            why = "expired: it had not started by its expiry time"
            _set(session, rows, Move.cancel, status=Status.cancelled, finished_at=at, updated_at=at, cancel_reason=why)
            settle(session, {row.id: Status.cancelled for row in rows})
        return len(rows)


def unpark() -> int:
    """Put tasks whose concurrency key has room again back into the line. Returns how many."""
    with reading() as session:
        if not parked_keys(session):
            return 0
    with transaction() as session:
        return unpark_all(session)


def _any(which: str) -> bool:
    """A look without a lock, so that idle processes do not queue up for SQLite's writer."""
    with reading() as session:
        found = session.execute(_typed(f"SELECT 1 FROM tasks WHERE {which} LIMIT 1"), {"now": now()}).first()
    return found is not None


def _locked(session: Session, which: str, limit: int) -> Sequence[Any]:
    lock = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    query = _typed(f"SELECT id, type, queue, status FROM tasks WHERE {which} LIMIT :limit {lock}")
    return session.execute(query, {"now": now(), "limit": limit}).all()


def _typed(sql: str) -> Any:
    return text(sql).bindparams(bindparam("now", type_=WHEN))


def _set(session: Session, rows: Sequence[Any], move: Move, **values: Any) -> None:
    """Make a move that was checked under lock, and count it."""
    deltas = Deltas()
    for row in rows:
        gauge(deltas, row.type, row.queue, Status(row.status), move.target)
    session.execute(update(tables.tasks).where(tables.tasks.c.id.in_([row.id for row in rows])).values(**values))
    record(session, deltas)
