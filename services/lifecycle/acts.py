"""What persons ask for: cancel, rerun, let go of a held task. Each locks its task, checks the move, makes it."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import Move, Status, Task, TaskNeed, now, tables
from services import bell
from services.errors import NotFound, StaleTask
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.needs import settle


def locked(session: Session, task_id: int) -> Task:
    """The task, locked until the transaction ends. Raises `NotFound`."""
    task = session.execute(
        select(Task).where(Task.id == task_id).with_for_update().execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if task is None:
        raise NotFound(f"there is no task #{task_id}")
    session.expunge(task)  # a picture of this moment: what comes later makes a new one
    return task


def cancel(session: Session, task_id: int, by: str, reason: str | None) -> Task:
    """Cancel what waits, ask what runs to stop. Raises `StaleTask` where it has ended."""
    task = locked(session, task_id)
    if task.finished:
        raise StaleTask(f"#{task_id} is already {task.status.value}, so there is nothing to cancel")
    at = now()
    asked = {"cancel_requested_at": at, "cancel_requested_by": by, "cancel_reason": reason, "updated_at": at}
    if task.may(Move.cancel):
        _move(session, task, Move.cancel, finished_at=at, parked=False, **asked)
        settle(session, {task_id: Status.cancelled})
    elif task.cancel_requested_at is None:
        session.execute(update(tables.tasks).where(Task.id == task_id).values(**asked))  # type: ignore[arg-type]
        bell.ring_cancel_after_commit()
    return locked(session, task_id)


def rerun(session: Session, task_id: int, dependents: bool = False) -> list[int]:
    """Back to the start, with a fresh budget of tries; with `dependents` also what was cancelled or held because of it.

    Returns the ids, the task's own first. Raises `StaleTask` where it has not failed or been cancelled.
    """
    task = locked(session, task_id)
    if not task.may(Move.rerun):
        why = (
            "it completed: run it again as a new task"
            if task.status is Status.completed
            else f"it is {task.status.value}"
        )
        raise StaleTask(f"#{task_id} cannot be rerun: {why}")
    again = [task_id]
    _start_over(session, task)
    if dependents:
        for child in _struck(session, task_id):
            _wait_again(session, child, task_id)
            again += rerun(session, child, True) if locked(session, child).may(Move.rerun) else [child]
    return again


def let_go(session: Session, task_id: int) -> Task:
    """Release a held task. Raises `StaleTask` where nothing holds it."""
    task = locked(session, task_id)
    if task.held_reason is None or task.status is not Status.pending:
        raise StaleTask(f"#{task_id} is not held: it is {task.status.value}")
    session.execute(update(tables.tasks).where(Task.id == task_id).values(held_reason=None, updated_at=now()))  # type: ignore[arg-type]
    return _queue_if_ready(session, task_id)


def _start_over(session: Session, task: Task) -> None:
    at = now()
    try:
        with session.begin_nested():
            _move(
                session, task, Move.rerun, finished_at=None, queued_at=None, started_at=None, tries=0, losses=0,
                run_at=at, updated_at=at, error_class=None, fingerprint=None, cancel_requested_at=None,
                cancel_requested_by=None, cancel_reason=None, cancel_seen_at=None, held_reason=None, parked=False,
                expires_at=None if task.expires_at and task.expires_at <= at else task.expires_at,
            )  # fmt: skip
    except IntegrityError as error:
        raise StaleTask(
            f"#{task.id} cannot be rerun: another live task has its unique key {task.unique_key!r}"
        ) from error
    _queue_if_ready(session, task.id or 0)


def _struck(session: Session, parent: int) -> list[int]:
    """The children that were cancelled or held because of this parent, and by nobody else."""
    because = f"needs #{parent}, %"
    query = (
        select(Task.id)
        .join(TaskNeed, TaskNeed.child == Task.id)  # type: ignore[arg-type]
        .where(TaskNeed.parent == parent, TaskNeed.settled_at.is_not(None))  # type: ignore[union-attr]
        .where(
            ((Task.status == Status.cancelled) & Task.cancel_reason.like(because))  # type: ignore[union-attr]
            | ((Task.status == Status.pending) & Task.held_reason.like(because))  # type: ignore[union-attr]
        )
        .order_by(Task.id)
    )
    return list(session.execute(query).scalars())


def _wait_again(session: Session, child: int, parent: int) -> None:
    """Open the edge once more: the child waits for the parent's new ending."""
    edge = update(tables.task_needs).where(TaskNeed.child == child, TaskNeed.parent == parent)  # type: ignore[arg-type]
    session.execute(edge.values(settled_at=None))
    session.execute(
        update(tables.tasks).where(Task.id == child).values(waits_on=Task.waits_on + 1, held_reason=None)  # type: ignore[arg-type]
    )


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
        .where(Task.id == task.id, Task.status.in_(move.sources))  # type: ignore[arg-type,attr-defined]
        .values(status=move.target, **values)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise StaleTask(f"#{task.id} is {task.status.value}")
    deltas = Deltas()
    gauge(deltas, task.type, task.queue, task.status, move.target)
    record(session, deltas)
