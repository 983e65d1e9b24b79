"""queued → running: the best tasks of all the queues and types a process serves, within every limit.

One claim is one transaction. What is chosen is locked first (PostgreSQL: SKIP LOCKED, so claims pass one another;
SQLite: the transaction holds the only write lock), and only then moved. Limits cannot be kept by one statement on
PostgreSQL, because its snapshot is older than its locks: the gate row of a limited queue or key is locked, and then its
running tasks are counted.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, text
from sqlmodel import Session

from models import now, reading, tables, transaction
from models.db import is_postgresql
from models.task import RUNNING
from services.lifecycle import limits
from services.lifecycle.batch import per_database
from services.lifecycle.claim_at_once import claim_at_once
from services.lifecycle.line import InLine, choose, line
from services.lifecycle.take import Claimed, claimed, take, told


def claim(
    worker: str,
    types: Collection[str],
    queues: Collection[str] | None,
    limit: int,
    lease_s: float,
    expecting: bool = False,
) -> list[Claimed]:
    """Take at most `limit` tasks of these types, from these queues (None: from all), the best first.

    `expecting`: there is something, by all appearances, so that there is no point in looking first.
    """
    if not types or limit < 1:
        return []
    if is_postgresql() and not (limits.keys or limits.known):
        with transaction(single=True) as session:
            rows = claim_at_once(session, types, queues, limit, _lease(worker, lease_s))
        if rows is not None:
            return claimed(rows)
    if not is_postgresql() and not expecting and not _anything(types, queues):
        return []  # an idle look must not take SQLite's only write lock
    with transaction() as session:
        chosen = _choose(session, types, queues, limit)
        if chosen:
            take(session, chosen, _lease(worker, lease_s))
    return told(worker, [one.id for one in chosen]) if chosen else []


def _choose(session: Session, types: Collection[str], queues: Collection[str] | None, limit: int) -> Sequence[InLine]:
    chosen = choose(session, _rooms(session, queues, limit), types, limit)
    limits.keys = any(one.concurrency_key is not None for one in chosen)
    return chosen


def _lease(worker: str, lease_s: float) -> dict[str, Any]:
    """From now: whoever had to wait for a lock is not to lose that time."""
    at = now()
    return {"worker": worker, "at": at, "lease_until": at + timedelta(seconds=lease_s)}


def _anything(types: Collection[str], queues: Collection[str] | None) -> bool:
    with reading() as session:
        open_queues = {name: 1 for name, paused, _ in _queues(session, queues) if not paused}
        return bool(open_queues) and bool(line(session, open_queues, types))


def _queues(session: Session, names: Collection[str] | None) -> Sequence[Row]:
    return session.execute(_open_or_not(names is not None), {"names": list(names or ())}).all()


@per_database
def _open_or_not(named: bool) -> Any:
    q = tables.queues.c
    wanted = select(q.name, q.paused_at, q.max_running)
    return wanted.where(q.name.in_(bindparam("names", expanding=True))) if named else wanted


def _rooms(session: Session, names: Collection[str] | None, limit: int) -> dict[str, int]:
    """How many each open queue may give, its own limit kept while we hold its gate."""
    open_ = [(name, most) for name, paused_at, most in sorted(_queues(session, names)) if paused_at is None]
    limits.known = frozenset(name for name, most in open_ if most is not None)
    rooms = {name: _room_behind_gate(session, name) if name in limits.known else limit for name, _ in open_}
    return {name: min(left, limit) for name, left in rooms.items() if left > 0}


def _room_behind_gate(session: Session, queue: str) -> int:
    q = tables.queues.c
    gate = session.execute(select(q.max_running, q.paused_at).where(q.name == queue).with_for_update()).one()
    if gate.paused_at is not None:
        return 0
    running = text(f"SELECT count(*) FROM tasks WHERE queue = :queue AND {RUNNING}")
    return (gate.max_running or 10**6) - session.execute(running, {"queue": queue}).scalar_one()
