"""The move queued → running of tasks that were chosen and locked, and what the worker is told of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from models import Status, tables
from models.db import is_postgresql
from services.lifecycle.batch import WHEN, among, fetch, listed, moment, per_database, whole
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.line import InLine


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


COLUMNS = [one.name for one in fields(Claimed) if one.name != "payload"]  # which is another table's

# A task whose status is another by now was cancelled meanwhile; of its status see `batch.still`
MOVE = """
    UPDATE tasks SET status = 'running', epoch = epoch + 1, worker = :worker, lease_until = :lease_until,
        updated_at = :at, started_at = NULL, progress_done = NULL, progress_total = NULL, progress_percent = NULL,
        progress_note = NULL, progress_step = NULL, progress_at = NULL, cancel_seen_at = NULL
    WHERE id {found} AND status || '' = 'queued'
"""
TIMES = (bindparam("lease_until", type_=WHEN), bindparam("at", type_=WHEN))


def moved(found: str) -> str:
    """The SQL of PostgreSQL's two expressions of WITH that move the tasks of these ids, and count it."""
    return f"""
        moved AS ({MOVE.format(found=found)} RETURNING {", ".join(COLUMNS)}),
        counted AS (
            INSERT INTO rollup_deltas (hour, type, queue, measure, bucket, n)
            SELECT 0, type, queue, measure, 0, by * count(*)
            FROM moved CROSS JOIN (VALUES ('queued', -1), ('running', 1)) AS step (measure, by)
            GROUP BY type, queue, measure, by
        )
    """


AT_ONCE = text(f"""
    WITH {moved("= ANY(cast(:ids AS bigint[]))")}
    SELECT moved.*, payload FROM moved JOIN task_bodies ON task_id = moved.id
""").bindparams(*TIMES)

IN_STEPS = text(MOVE.format(found="IN (SELECT value FROM json_each(:ids))")).bindparams(*TIMES)


def take(session: Session, chosen: Sequence[InLine], lease: dict[str, Any]) -> Sequence[Any]:
    """Move what was chosen; returns the rows for `claimed`. `lease`: worker, lease_until, at."""
    values = {**lease, "ids": listed([one.id for one in chosen])}
    if is_postgresql():
        return session.execute(AT_ONCE, values).all()
    session.execute(IN_STEPS, values)
    deltas = Deltas()
    for (type_, queue), n in Counter((one.type, one.queue) for one in chosen).items():
        gauge(deltas, type_, queue, Status.queued, Status.running, n)
    record(session, deltas)
    return fetch(session, _taken(), values)


@per_database
def _taken() -> Any:
    c, bodies = tables.tasks.c, tables.task_bodies
    told = (c[name] for name in COLUMNS)
    return whole(select(*told, bodies.c.payload).join(bodies, bodies.c.task_id == c.id).where(among(c.id)))


def claimed(rows: Sequence[Any]) -> list[Claimed]:
    """The tasks of these rows, the best first."""
    tasks = [Claimed(*row) for row in rows]
    for one in tasks:
        one.queued_at = moment(one.queued_at)
    return sorted(tasks, key=lambda one: (-one.priority, one.id))
