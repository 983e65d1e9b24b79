"""Old tasks go, with everything that belongs to them: each whole, or not at all."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlmodel import Session

from models import InboxItem, Status, reading, tables, transaction
from services import artifacts, search
from services.lifecycle.counts import Deltas, gauge, record

LOG_BATCH = 5_000  # lines that one transaction deletes

_task = tables.tasks.c
_need = tables.task_needs.c
_logs = tables.task_logs.c
_inbox = InboxItem.__table__  # type: ignore[attr-defined]


def needed(parent: Any) -> Select:
    """Live children: what they need is kept, because they read its result when they run."""
    child = tables.tasks.alias("child")
    return (
        select(_need.parent)
        .join_from(tables.task_needs, child, child.c.id == _need.child)
        .where(parent, child.c.finished_at.is_(None))
    )


def remove(ids: Sequence[int], before: datetime) -> int:
    """Delete those of these tasks that finished before then, and that no live task needs. Returns how many.

    A task and its log go in one transaction: until it is locked somebody may run it again, and then its lines stay.
    """
    done = 0
    for share in _shares(ids):
        with transaction() as session:
            rows = _locked(session, share, before)
            if rows:
                _delete_tasks(session, rows)
        done += len(rows)
    return done


def _shares(ids: Sequence[int]) -> Iterator[list[int]]:
    """These tasks, as many at a time as have `LOG_BATCH` lines of log together; one that has more is a share."""
    if not ids:
        return
    count = select(_logs.task_id, func.count().label("n")).where(_logs.task_id.in_(ids)).group_by(_logs.task_id)
    with reading() as session:
        lines = {row.task_id: row.n for row in session.execute(count)}
    share: list[int] = []
    size = 0
    for task in ids:
        if share and size + lines.get(task, 0) > LOG_BATCH:
            yield share
            share, size = [], 0
        share.append(task)
        size += lines.get(task, 0)
    yield share


def _locked(session: Session, ids: Sequence[int], before: datetime) -> Sequence[Any]:
    """What is still old. Asked once more behind the lock: a task that needs one may have come meanwhile."""
    old = select(_task.id, _task.type, _task.queue, _task.status).where(_task.id.in_(ids), _task.finished_at < before)
    rows = session.execute(old.with_for_update(skip_locked=True)).all()
    kept = set(session.execute(needed(_need.parent.in_(ids))).scalars())
    return [row for row in rows if row.id not in kept]


def _delete_tasks(session: Session, rows: Sequence[Any]) -> None:
    """No foreign keys do it, because they would be checked on every insert."""
    ids = [row.id for row in rows]
    artifacts.delete_of_tasks(session, ids)
    search.forget(session, ids)
    for table, column in (
        (tables.task_bodies, "task_id"),
        (tables.attempts, "task_id"),
        (tables.task_logs, "task_id"),
        (tables.task_needs, "child"),
        (tables.task_needs, "parent"),
        (tables.unsettled, "parent"),
        (_inbox, "task_id"),
        (tables.tasks, "id"),
    ):
        session.execute(delete(table).where(table.c[column].in_(ids)))
    deltas = Deltas()
    for row in rows:
        gauge(deltas, row.type, row.queue, Status(row.status), None)
    record(session, deltas)
