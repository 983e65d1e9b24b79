"""Concurrency keys: at most N running tasks share one. What finds no room is parked, out of everybody's way.

Whoever claims or ends a task with a key locks the key's gate row first, so that "is there room" and "there is room
again" cannot miss each other.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, text, update
from sqlmodel import Session

from models import KeyLimit, tables
from models.task import PARKED, RUNNING_WITH_KEY
from models.upsert import insert_missing
from services import bell
from services.lifecycle.batch import among, listed, per_database

RUNNING_OF_KEYS = text(f"""
    SELECT concurrency_key AS key, count(*) AS n FROM tasks
    WHERE {RUNNING_WITH_KEY} AND concurrency_key IN :keys GROUP BY concurrency_key
""").bindparams(bindparam("keys", expanding=True))
FIRST_PARKED = text(
    f"SELECT id, queue FROM tasks WHERE {PARKED} AND concurrency_key = :key ORDER BY priority DESC, id LIMIT :room"
)
WITH_PARKED = text(f"""
    SELECT key FROM key_limits
    WHERE key IN :keys AND EXISTS (SELECT 1 FROM tasks WHERE {PARKED} AND concurrency_key = key_limits.key)
""").bindparams(bindparam("keys", expanding=True))
# From key to key through the index, however many tasks are parked behind each
PARKED_KEYS = text(f"""
    WITH RECURSIVE parked (key) AS (
        SELECT min(concurrency_key) FROM tasks WHERE {PARKED}
        UNION ALL
        SELECT (SELECT min(concurrency_key) FROM tasks WHERE {PARKED} AND concurrency_key > parked.key)
        FROM parked WHERE key IS NOT NULL
    )
    SELECT key FROM parked WHERE key IS NOT NULL LIMIT 1000
""")


def lock_gates(session: Session, keys: Collection[str], wait: bool = True) -> dict[str, int]:
    """Lock the keys' gates, in order, until the transaction ends; returns each key's limit.

    Without `wait` those that another transaction has locked are left out.
    """
    if not keys:
        return {}
    gates = (
        select(tables.key_limits.c.key, tables.key_limits.c.max_running)
        .where(tables.key_limits.c.key.in_(keys))
        .order_by(tables.key_limits.c.key)
        .with_for_update(skip_locked=not wait)
    )
    locked = {row.key: row.max_running for row in session.execute(gates)}
    if wait and (lacking := set(keys) - locked.keys()):  # a key without a gate would never be served
        insert_missing(session, KeyLimit, [{"key": key, "max_running": 1} for key in sorted(lacking)])
        locked |= dict.fromkeys(lacking, 1)
    return locked


def rooms_of(session: Session, gates: Mapping[str, int]) -> dict[str, int]:
    """How many more of each key may run; true while their gates are locked."""
    if not gates:
        return {}
    running = {row.key: row.n for row in session.execute(RUNNING_OF_KEYS, {"keys": list(gates)})}
    return {key: max(0, limit - running.get(key, 0)) for key, limit in gates.items()}


def park(session: Session, ids: Collection[int]) -> None:
    """Take tasks out of the line."""
    session.execute(_set_parked(), {"ids": listed(ids), "parked": True})


def unpark(session: Session, gates: Mapping[str, int]) -> int:
    """Put the best parked tasks of locked keys back into the line, as many as there is room for."""
    waited_for = session.execute(WITH_PARKED, {"keys": list(gates)}).scalars().all() if gates else []
    back: list[Any] = []
    for key, free in rooms_of(session, {key: gates[key] for key in waited_for}).items():
        back += session.execute(FIRST_PARKED, {"key": key, "room": free}).all() if free else []
    if back:
        session.execute(_set_parked(), {"ids": listed([row.id for row in back]), "parked": False})
        for queue in {row.queue for row in back}:
            bell.ring_after_commit(queue)
    return len(back)


def unpark_all(session: Session) -> int:
    """The same for every key that has parked tasks: after a limit was raised, and to mend what was missed."""
    keys = parked_keys(session)
    return unpark(session, lock_gates(session, keys, wait=False)) if keys else 0


def parked_keys(session: Session) -> Sequence[str]:
    """The keys that keep tasks out of the line."""
    return session.execute(PARKED_KEYS).scalars().all()


@per_database
def _set_parked() -> Any:
    t = tables.tasks.c
    return update(tables.tasks).where(among(t.id)).values(parked=bindparam("parked"))
