"""pending → queued when the time has come; waiting → cancelled when it came too late. One batch a call."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, text, update
from sqlmodel import Session

from models import Move, Status, now, tables, transaction
from models.db import is_postgresql
from models.task import DUE, MAY_EXPIRE
from services import bell
from services.lifecycle.batch import WHEN
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.keys import PARKED, unpark_all
from services.lifecycle.look import looking_for
from services.lifecycle.needs import settle

BATCH = 500

COME = f"{DUE} AND run_at <= :now"
PASSED = f"{MAY_EXPIRE} AND expires_at <= :now"


@looking_for(f"SELECT 1 FROM tasks WHERE {COME}")
def release(limit: int = BATCH) -> int:
    """Queue what is due: its time has come and nothing else holds it. Returns how many."""
    with transaction() as session:
        rows = _locked(session, f"{COME} ORDER BY run_at", limit)
        if rows:
            at = now()
            _set(session, rows, Move.release, status=Status.queued, queued_at=at, updated_at=at)
            for queue in {row.queue for row in rows}:
                bell.ring_after_commit(queue)
        return len(rows)


@looking_for(f"SELECT 1 FROM tasks WHERE {PASSED}")
def expire(limit: int = BATCH) -> int:
    """Cancel what has not started by its `expires_at`. Returns how many."""
    with transaction() as session:
        rows = _locked(session, f"{PASSED} ORDER BY expires_at", limit)
        if rows:
            at = now()
            why = "expired: it had not started by its expiry time"
            _set(session, rows, Move.cancel, status=Status.cancelled, finished_at=at, updated_at=at, cancel_reason=why)
            settle(session, {row.id: Status.cancelled for row in rows})
        return len(rows)


@looking_for(f"SELECT 1 FROM tasks WHERE {PARKED} AND concurrency_key IS NOT NULL")
def unpark() -> int:
    """Put tasks whose concurrency key has room again back into the line. Returns how many."""
    with transaction() as session:
        return unpark_all(session)


def _locked(session: Session, which: str, limit: int) -> Sequence[Any]:
    lock = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    query = text(f"SELECT id, type, queue, status FROM tasks WHERE {which} LIMIT :limit {lock}")
    return session.execute(query.bindparams(bindparam("now", type_=WHEN)), {"now": now(), "limit": limit}).all()


def _set(session: Session, rows: Sequence[Any], move: Move, **values: Any) -> None:
    """Make a move that was checked under lock, and count it."""
    deltas = Deltas()
    for row in rows:
        gauge(deltas, row.type, row.queue, Status(row.status), move.target)
    session.execute(update(tables.tasks).where(tables.tasks.c.id.in_([row.id for row in rows])).values(**values))
    record(session, deltas)
