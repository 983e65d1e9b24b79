"""The move queued → running of tasks that were chosen and locked, and what the worker is told of each."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlmodel import Session

from models import Status, reading, tables
from models.db import is_postgresql
from services.lifecycle.batch import WHEN, among, fetch, listed, moment, per_database, still, whole
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


@per_database
def _move() -> Any:
    found = "= ANY(cast(:ids AS bigint[]))" if is_postgresql() else "IN (SELECT value FROM json_each(:ids))"
    return text(MOVE.format(found=found)).bindparams(*TIMES)


def take(session: Session, chosen: Sequence[InLine], lease: dict[str, Any]) -> None:
    """Move what was chosen and locked. `lease`: worker, lease_until, at."""
    session.execute(_move(), {**lease, "ids": listed([one.id for one in chosen])})
    deltas = Deltas()
    for (type_, queue), n in Counter((one.type, one.queue) for one in chosen).items():
        gauge(deltas, type_, queue, Status.queued, Status.running, n)
    record(session, deltas)


def told(worker: str, ids: Collection[int]) -> list[Claimed]:
    """What this worker has just taken, read when others may write again; less what was already taken back from it."""
    with reading() as session:
        return claimed(fetch(session, _told(), {"worker": worker, "ids": listed(ids)}))


@per_database
def _told() -> Any:
    c, bodies = tables.tasks.c, tables.task_bodies
    wanted = select(*(c[name] for name in COLUMNS), bodies.c.payload).join(bodies, bodies.c.task_id == c.id)
    return whole(wanted.where(among(c.id), still(c, "running"), c.worker == bindparam("worker")))


def claimed(rows: Sequence[Any]) -> list[Claimed]:
    """The tasks of these rows, the best first."""
    tasks = [Claimed(*row) for row in rows]
    for one in tasks:
        one.queued_at = moment(one.queued_at)
    return sorted(tasks, key=lambda one: (-one.priority, one.id))
