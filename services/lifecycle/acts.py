"""What persons ask for: cancel, hold, let go of a held task. Each locks its task, checks the move, makes it."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BigInteger, String, bindparam, select, update
from sqlmodel import Session

from models import Move, Status, Task, now, tables
from services import bell, checks
from services.errors import NotFound, StaleTask
from services.lifecycle.batch import WHEN, among, given, listed, packed, per_database
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.needs import settle


def locked(session: Session, task_id: int) -> Task:
    """The task, locked until the transaction ends. Raises `NotFound`."""
    checks.whole(task_id, "id", 1, 2**53)
    task = session.execute(_locked(), {"id": task_id}).scalar_one_or_none()
    if task is None:
        raise NotFound(f"there is no task #{task_id}")
    session.expunge(task)  # a picture of this moment: what comes later makes a new one
    return task


@per_database
def _locked() -> Any:
    one = select(Task).where(tables.tasks.c.id == bindparam("id", type_=BigInteger)).with_for_update()
    return one.execution_options(populate_existing=True)


def cancel(session: Session, task_id: int, by: str, reason: str | None) -> Task:
    """Cancel what waits, ask what runs to stop. Raises `StaleTask` where it has ended."""
    task = locked(session, task_id)
    if task.finished:
        raise StaleTask(f"#{task_id} is already {task.status.value}, so there is nothing to cancel")
    cancel_many(session, [task], by, reason)
    return locked(session, task_id)


def cancel_many(session: Session, rows: Collection[Any], by: str, reason: str | None) -> None:
    """The same for many that have not ended, in a few statements.

    `rows` are locked and have (id, type, queue, status, cancel_requested_at); who was asked before is left alone.
    """
    at, t = now(), tables.tasks.c
    asked = {"cancel_requested_at": at, "cancel_requested_by": by, "cancel_reason": reason, "updated_at": at}
    waiting = [row for row in rows if Status(row.status) in Move.cancel.sources]
    running = [row.id for row in rows if row.status == Status.running and row.cancel_requested_at is None]
    if waiting:
        ids = {row.id: Status.cancelled for row in waiting}
        values = {"status": Status.cancelled, "finished_at": at, "parked": False, **asked}
        statement = update(tables.tasks).where(among(t.id), t.status.in_(Move.cancel.sources)).values(**values)
        session.execute(statement, {"ids": listed(ids)})
        deltas = Deltas()
        for (type_, queue, was), n in Counter((row.type, row.queue, Status(row.status)) for row in waiting).items():
            gauge(deltas, type_, queue, was, Status.cancelled, n)
        record(session, deltas)
        settle(session, ids)
    if running:
        session.execute(update(tables.tasks).where(among(t.id)).values(**asked), {"ids": listed(running)})
        bell.ring_cancel_after_commit()


def hold_many(session: Session, rows: Collection[Any], why: Mapping[int, str]) -> None:
    """Keep back many that wait, each until a person lets it go, and say why by id.

    `rows` are locked, pending or queued, and have (id, type, queue, status).
    """
    at = now()
    session.execute(_hold(), {"given": packed({"id": row.id, "why": why[row.id], "at": at} for row in rows)})
    deltas, queued = Deltas(), [row for row in rows if Status(row.status) is Status.queued]
    for (type_, queue), n in Counter((row.type, row.queue) for row in queued).items():
        gauge(deltas, type_, queue, Status.queued, Move.hold.target, n)
    record(session, deltas)


@per_database
def _hold() -> Any:
    v, t = given({"id": BigInteger(), "why": String(), "at": WHEN}).c, tables.tasks.c
    waits = update(tables.tasks).where(t.id == v.id, t.status.in_(Move.hold.sources))
    return waits.values(status=Move.hold.target, held_reason=v.why, queued_at=None, parked=False, updated_at=v.at)


def let_go(session: Session, task_id: int) -> Task:
    """Release a held task. Raises `StaleTask` where nothing holds it."""
    task = locked(session, task_id)
    if task.held_reason is None or task.status is not Status.pending:
        raise StaleTask(f"#{task_id} is not held: it is {task.status.value}")
    session.execute(update(tables.tasks).where(tables.tasks.c.id == task_id).values(held_reason=None, updated_at=now()))
    return _queue_if_ready(session, task_id)


def _queue_if_ready(session: Session, task_id: int) -> Task:
    task = locked(session, task_id)
    if task.status is Status.pending and task.waits_on == 0 and task.held_reason is None and task.run_at <= now():
        at = now()
        _move(session, task, Move.release, queued_at=at, updated_at=at)
        bell.ring_after_commit(task.queue)
    return locked(session, task_id)


def _move(session: Session, task: Task, move: Move, **values: Any) -> None:
    """One conditional UPDATE; its row is locked, so zero rows would be a bug."""
    done = session.execute(
        update(tables.tasks)
        .where(tables.tasks.c.id == task.id, tables.tasks.c.status.in_(move.sources))
        .values(status=move.target, **values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleTask(f"#{task.id} is {task.status.value}")
    deltas = Deltas()
    gauge(deltas, task.type, task.queue, task.status, move.target)
    record(session, deltas)
