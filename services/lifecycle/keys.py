"""Concurrency keys: at most N running tasks share one. What finds no room is parked, out of everybody's way.

Whoever claims or ends a task with a key locks the key's gate row first, so that "is there room" and "there is room
again" cannot miss each other.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import select, text, update
from sqlmodel import Session

from models import KeyLimit, Task, tables
from models.task import PARKED, RUNNING_WITH_KEY
from services import bell

RUNNING_OF_KEY = text(f"SELECT count(*) FROM tasks WHERE {RUNNING_WITH_KEY} AND concurrency_key = :key")
FIRST_PARKED = text(
    f"SELECT id, queue FROM tasks WHERE {PARKED} AND concurrency_key = :key ORDER BY priority DESC, id LIMIT :room"
)
PARKED_KEYS = text(f"SELECT DISTINCT concurrency_key FROM tasks WHERE {PARKED} LIMIT 1000")


def lock_gates(session: Session, keys: Collection[str]) -> dict[str, int]:
    """Lock the keys' gates, in order, until the transaction ends; returns each key's limit."""
    if not keys:
        return {}
    gates = (
        select(KeyLimit.key, KeyLimit.max_running)
        .where(KeyLimit.key.in_(keys))  # type: ignore[attr-defined]
        .order_by(KeyLimit.key)
        .with_for_update()
    )
    return dict.fromkeys(sorted(keys), 1) | {row.key: row.max_running for row in session.execute(gates)}


def room(session: Session, key: str, limit: int) -> int:
    """How many more may run; true while the key's gate is locked."""
    return limit - session.execute(RUNNING_OF_KEY, {"key": key}).scalar_one()


def park(session: Session, ids: Collection[int]) -> None:
    """Take tasks out of the line."""
    session.execute(update(tables.tasks).where(Task.id.in_(ids)).values(parked=True))  # type: ignore[union-attr]


def unpark(session: Session, gates: Mapping[str, int]) -> int:
    """Put the best parked tasks of locked keys back into the line, as many as there is room for."""
    back = 0
    for key, limit in gates.items():
        free = room(session, key, limit)
        rows = session.execute(FIRST_PARKED, {"key": key, "room": free}).all() if free > 0 else []
        if rows:
            ids = [row.id for row in rows]
            session.execute(update(tables.tasks).where(Task.id.in_(ids)).values(parked=False))  # type: ignore[union-attr]
            for queue in {row.queue for row in rows}:
                bell.ring_after_commit(queue)
            back += len(ids)
    return back


def unpark_all(session: Session) -> int:
    """The same for every key that has parked tasks: after a limit was raised, and to mend what was missed."""
    keys = session.execute(PARKED_KEYS).scalars().all()
    return unpark(session, lock_gates(session, keys)) if keys else 0
