"""queued → running: the best tasks of all the queues and types a process serves, within every limit.

One claim is one transaction. What is chosen is locked first (PostgreSQL: SKIP LOCKED, so claims pass one another;
SQLite: the transaction holds the only write lock), and only then moved. Limits cannot be kept by one statement on
PostgreSQL, because its snapshot is older than its locks: the gate row of a limited queue or key is locked, then counted.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, literal, select, text, update
from sqlmodel import Session

from models import Queue, Status, now, reading, tables, transaction
from models.db import is_postgresql
from models.task import IN_LINE, RUNNING
from services import bell
from services.lifecycle.batch import WHEN, among, listed, per_database
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.keys import lock_gates, park, room


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
    worker: str, types: Collection[str], queues: Collection[str] | None, limit: int, lease_s: float
) -> list[Claimed]:
    """Take at most `limit` tasks of these types, from these queues (None: from all), the best first."""
    if not types or limit < 1:
        return []
    if not is_postgresql() and not _anything(types, queues):
        return []  # an idle look must not take SQLite's only write lock
    with transaction() as session:
        rooms = _rooms(session, queues, limit)
        chosen = _choose(session, rooms, types, limit)
        return _take(session, chosen, worker, lease_s) if chosen else []


def _anything(types: Collection[str], queues: Collection[str] | None) -> bool:
    with reading() as session:
        open_queues = {name: 1 for name, paused, _ in _queues(session, queues) if not paused}
        return bool(open_queues) and bool(_line(session, open_queues, types, 1))


def _queues(session: Session, names: Collection[str] | None) -> Sequence[Row]:
    q = tables.queues.c
    wanted = select(q.name, q.paused_at, q.max_running)
    if names is not None:
        wanted = wanted.where(q.name.in_(names))
    return session.execute(wanted).all()


def _rooms(session: Session, names: Collection[str] | None, limit: int) -> dict[str, int]:
    """How many each open queue may give, its own limit kept while we hold its gate."""
    rooms = {}
    for name, paused_at, max_running in sorted(_queues(session, names)):
        if paused_at is not None:
            continue
        rooms[name] = limit if max_running is None else min(limit, _room_behind_gate(session, name))
    return {name: left for name, left in rooms.items() if left > 0}


def _room_behind_gate(session: Session, queue: str) -> int:
    gate = session.execute(
        select(Queue.max_running, Queue.paused_at).where(Queue.name == queue).with_for_update()
    ).one()
    if gate.paused_at is not None:
        return 0
    running = text(f"SELECT count(*) FROM tasks WHERE queue = :queue AND {RUNNING}")
    return (gate.max_running or 10**6) - session.execute(running, {"queue": queue}).scalar_one()


def _choose(session: Session, rooms: dict[str, int], types: Collection[str], limit: int) -> list[int]:
    """The best ids within the keys' limits; what a full key keeps out is parked, out of everybody's way."""
    chosen: list[int] = []
    rooms = dict(rooms)
    while rooms and len(chosen) < limit:
        line = _line(session, rooms, types, limit - len(chosen), chosen)
        kept_out = _keep_out(session, line)
        taken = [row for row in line if row.id not in kept_out]
        chosen += [row.id for row in taken]
        if not kept_out:
            break
        rooms = {name: left - n for name, left in rooms.items() if left > (n := _of_queue(taken, name))}
    return chosen


def _of_queue(rows: Sequence[Row], queue: str) -> int:
    return sum(row.queue == queue for row in rows)


def _line(
    session: Session, rooms: dict[str, int], types: Collection[str], limit: int, without: Sequence[int] = ()
) -> list[Row]:
    """The head of the line, locked: (id, priority, queue, concurrency_key), best first."""
    if is_postgresql():
        rows = session.execute(
            POSTGRESQL_LINE,
            {
                "queues": list(rooms),
                "rooms": [min(left, limit) for left in rooms.values()],
                "types": list(types),
                "now": now(),
                "without": list(without),
            },
        ).all()
    else:
        parts = " UNION ALL ".join(SQLITE_LINE.format(n=n) for n in range(len(rooms)))
        statement = text(parts).bindparams(bindparam("types", expanding=True), bindparam("now", type_=WHEN))
        names = {f"queue{n}": name for n, name in enumerate(rooms)}
        heads = {f"room{n}": min(left, limit) + len(without) for n, left in enumerate(rooms.values())}
        rows = session.execute(statement, {**names, **heads, "types": list(types), "now": now()}).all()
    ordered = sorted((r for r in rows if r.id not in without), key=lambda r: (-r.priority, r.id))
    if len(ordered) > limit:  # rows of several queues were locked that others may have looked for meanwhile
        for queue in {row.queue for row in ordered[limit:]}:
            bell.ring_after_commit(queue)
    return ordered[:limit]


POSTGRESQL_LINE = text(f"""
    SELECT head.id, head.priority, head.queue, head.concurrency_key
    FROM unnest(cast(:queues AS text[]), cast(:rooms AS int[])) AS served (queue, room)
    CROSS JOIN LATERAL (
        SELECT id, priority, queue, concurrency_key FROM tasks
        WHERE queue = served.queue AND {IN_LINE} AND type = ANY(:types)
          AND (expires_at IS NULL OR expires_at > :now) AND id <> ALL(cast(:without AS bigint[]))
        ORDER BY priority DESC, id LIMIT served.room FOR UPDATE SKIP LOCKED
    ) AS head
""").bindparams(bindparam("now", type_=WHEN))

SQLITE_LINE = f"""
    SELECT * FROM (
        SELECT id, priority, queue, concurrency_key FROM tasks INDEXED BY ix_tasks_line
        WHERE queue = :queue{{n}} AND {IN_LINE} AND type IN :types AND (expires_at IS NULL OR expires_at > :now)
        ORDER BY priority DESC, id LIMIT :room{{n}}
    )
"""


def _keep_out(session: Session, line: Sequence[Row]) -> set[int]:
    """Park what its concurrency key has no room for; returns those ids."""
    keyed = [row for row in line if row.concurrency_key is not None]
    limits = lock_gates(session, {row.concurrency_key for row in keyed})
    left = {key: room(session, key, limit) for key, limit in limits.items()}
    kept_out = set()
    for row in keyed:
        left[row.concurrency_key] -= 1
        if left[row.concurrency_key] < 0:
            kept_out.add(row.id)
    if kept_out:
        park(session, kept_out)
    return kept_out


def _take(session: Session, ids: list[int], worker: str, lease_s: float) -> list[Claimed]:
    at = now()
    values = {"ids": listed(ids), "worker": worker, "lease_until": at + timedelta(seconds=lease_s), "at": at}
    rows = session.execute(_move_to_running(), values).all()
    payloads = dict(session.execute(_payloads(), {"ids": values["ids"]}).all())  # type: ignore[arg-type]
    deltas = Deltas()
    for (type_, queue), n in Counter((row[2], row[3]) for row in rows).items():
        gauge(deltas, type_, queue, Status.queued, Status.running, n)
    record(session, deltas)
    claimed = [Claimed(*row, payload=payloads.get(row[0], {})) for row in rows]
    return sorted(claimed, key=lambda one: (-one.priority, one.id))


@per_database
def _move_to_running() -> Any:
    c = tables.tasks.c
    return (
        update(tables.tasks)
        .where(among(c.id), c.status == literal("queued"))
        .values(
            status=literal("running"), epoch=c.epoch + 1, worker=bindparam("worker"), updated_at=bindparam("at"),
            lease_until=bindparam("lease_until"), started_at=None, progress_done=None, progress_total=None,
            progress_percent=None, progress_note=None, progress_step=None, progress_at=None, cancel_seen_at=None,
        )
        .returning(
            c.id, c.epoch, c.type, c.queue, c.tries, c.max_tries, c.losses, c.timeout_s, c.queued_at, c.root_id,
            c.concurrency_key, c.priority,
        )
    )  # fmt: skip


@per_database
def _payloads() -> Any:
    c = tables.task_bodies.c
    return select(c.task_id, c.payload).where(among(c.task_id))
