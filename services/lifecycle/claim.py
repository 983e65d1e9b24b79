"""queued → running: the best tasks of all the queues and types a process serves, within every limit.

One claim is one transaction. What is chosen is locked first (PostgreSQL: SKIP LOCKED, so claims pass one another;
SQLite: the transaction holds the only write lock), and only then moved. Limits cannot be kept by one statement on
PostgreSQL, because its snapshot is older than its locks: the gate row of a limited queue or key is locked, and then its
running tasks are counted.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, literal, select, text, update
from sqlmodel import Session

from models import Status, now, reading, tables, transaction
from models.db import is_postgresql
from models.task import RUNNING
from services.lifecycle.batch import among, fetch, listed, moment, packed, per_database, still, whole
from services.lifecycle.counts import Deltas, counted, counting, gauge, record
from services.lifecycle.line import InLine, choose, line


@dataclass(slots=True)
class Claimed:
    """A task that is this worker's until it ends or the lease runs out."""

    id: int
    epoch: int
    type: str
    queue: str
    tries: int
    max_tries: int
    losses: int
    timeout_s: float | None
    queued_at: datetime | None
    root_id: int | None
    concurrency_key: str | None
    priority: int
    payload: dict[str, Any]


def claim(
    worker: str, types: Collection[str], queues: Collection[str] | None, limit: int, lease_s: float, busy: bool = False
) -> list[Claimed]:
    """Take at most `limit` tasks of these types, from these queues (None: from all), the best first.

    `busy`: there was something just now, so that there is no point in looking first.
    """
    if not types or limit < 1:
        return []
    if not is_postgresql() and not busy and not _anything(types, queues):
        return []  # an idle look must not take SQLite's only write lock
    with transaction() as session:
        rooms = _rooms(session, queues, limit)
        chosen = choose(session, rooms, types, limit)
        rows = _take(session, chosen, worker, lease_s) if chosen else []
    claimed = [Claimed(*row) for row in rows]
    for one in claimed:
        one.queued_at = moment(one.queued_at)
    return sorted(claimed, key=lambda one: (-one.priority, one.id))


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
    rooms = {}
    for name, paused_at, max_running in sorted(_queues(session, names)):
        if paused_at is not None:
            continue
        rooms[name] = limit if max_running is None else min(limit, _room_behind_gate(session, name))
    return {name: left for name, left in rooms.items() if left > 0}


def _room_behind_gate(session: Session, queue: str) -> int:
    q = tables.queues.c
    gate = session.execute(select(q.max_running, q.paused_at).where(q.name == queue).with_for_update()).one()
    if gate.paused_at is not None:
        return 0
    running = text(f"SELECT count(*) FROM tasks WHERE queue = :queue AND {RUNNING}")
    return (gate.max_running or 10**6) - session.execute(running, {"queue": queue}).scalar_one()


def _take(session: Session, chosen: Sequence[InLine], worker: str, lease_s: float) -> Sequence[Any]:
    at = now()
    ids = {"ids": listed([one.id for one in chosen])}
    values = {**ids, "worker": worker, "lease_until": at + timedelta(seconds=lease_s), "at": at}
    deltas = Deltas()
    for (type_, queue), n in Counter((one.type, one.queue) for one in chosen).items():
        gauge(deltas, type_, queue, Status.queued, Status.running, n)
    if is_postgresql():
        return session.execute(_claimed_by_moving(), {**values, "deltas": packed(counted(deltas))}).all()
    session.execute(_move_to_running(), values)
    record(session, deltas)
    return fetch(session, _claimed(), ids)


@per_database
def _move_to_running() -> Any:
    c = tables.tasks.c
    return (
        update(tables.tasks)
        .where(among(c.id), still(c, "queued"))
        .values(
            status=literal("running"), epoch=c.epoch + 1, worker=bindparam("worker"), updated_at=bindparam("at"),
            lease_until=bindparam("lease_until"), started_at=None, progress_done=None, progress_total=None,
            progress_percent=None, progress_note=None, progress_step=None, progress_at=None, cancel_seen_at=None,
        )
    )  # fmt: skip


def _told(c: Any) -> list[Any]:
    """The columns of `Claimed`, in its order."""
    return [getattr(c, one.name) for one in fields(Claimed) if one.name != "payload"]


@per_database
def _claimed_by_moving() -> Any:
    """Move, count and read in one statement, and one round trip."""
    moved = _move_to_running().returning(*_told(tables.tasks.c)).cte("moved")
    bodies = tables.task_bodies
    query = select(*moved.c, bodies.c.payload).join(bodies, bodies.c.task_id == moved.c.id)
    return query.add_cte(counting("deltas").cte("counted"))


@per_database
def _claimed() -> Any:
    c, bodies = tables.tasks.c, tables.task_bodies
    return whole(select(*_told(c), bodies.c.payload).join(bodies, bodies.c.task_id == c.id).where(among(c.id)))
