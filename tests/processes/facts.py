"""What the ledger has recorded, for tests that judge processes by it."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from models import FINISHED, Attempt, Event, Outcome, Status, Task, TaskLog, reading
from services import tasks
from tests.processes import kinds
from tests.support import wait_until

SLOW_S = 40.0  # for waits: what was promised is judged by the ledger's times, not by the test's


def ended(ids: Iterable[int], timeout: float = SLOW_S) -> list[Task]:
    """The tasks, once all have ended."""
    wanted = list(ids)

    def left() -> int:
        with reading() as session:
            rows = select(func.count()).select_from(Task).where(Task.id.in_(wanted), Task.status.not_in(FINISHED))
            return session.execute(rows).scalar_one()

    wait_until(lambda: left() == 0, timeout=timeout, every=0.05, what=f"the end of {len(wanted)} tasks")
    with reading() as session:
        return list(session.execute(select(Task).where(Task.id.in_(wanted)).order_by(Task.id)).scalars())


def ended_of(ids: Iterable[int]) -> list[int]:
    """Those that have ended by now."""
    with reading() as session:
        return list(session.execute(select(Task.id).where(Task.id.in_(list(ids)), Task.status.in_(FINISHED))).scalars())


def completed(ids: Iterable[int], timeout: float = SLOW_S) -> list[Task]:
    """The tasks, once all have ended, which must be by completing."""
    done = ended(ids, timeout)
    wrong = {task.id: (task.status.value, task.error) for task in done if task.status is not Status.completed}
    assert not wrong, wrong
    return done


def has(task_id: int, status: Status, timeout: float = SLOW_S) -> Task:
    """The task, once it is in this state."""
    return wait_until(
        lambda: task if (task := tasks.get(task_id)).status is status else None,
        timeout=timeout, what=f"#{task_id} being {status.value}",
    )  # fmt: skip


def started(task_id: int, timeout: float = SLOW_S) -> Task:
    """The task, once its body runs and the ledger knows it."""
    return wait_until(
        lambda: t if (t := tasks.get(task_id)).status is Status.running and t.started_at else None,
        timeout=timeout, what=f"the start of #{task_id}",
    )  # fmt: skip


def attempts(task_id: int) -> list[Attempt]:
    """Its attempts, first to last."""
    with reading() as session:
        query = select(Attempt).where(Attempt.task_id == task_id).order_by(Attempt.epoch)
        return list(session.execute(query).scalars())


def outcomes(task_id: int) -> list[Outcome]:
    """How its attempts ended, first to last."""
    return [attempt.outcome for attempt in attempts(task_id)]


def events(verb: str, task_id: int | None = None) -> list[Event]:
    """The audit trail's rows of one verb, oldest first."""
    query = select(Event).where(Event.verb == verb).order_by(Event.id)
    if task_id is not None:
        query = query.where(Event.entity_id == str(task_id))
    with reading() as session:
        return list(session.execute(query).scalars())


def log_lines(task_id: int) -> list[TaskLog]:
    """Everything its attempts said."""
    with reading() as session:
        query = select(TaskLog).where(TaskLog.task_id == task_id).order_by(TaskLog.epoch, TaskLog.seq)
        return list(session.execute(query).scalars())


def seconds(later: datetime | None, earlier: datetime | None) -> float:
    """Seconds between two of the ledger's times."""
    assert later is not None
    assert earlier is not None
    return (later - earlier).total_seconds()


def warm(threads: int) -> None:
    """Occupy all threads with isolated tasks once, so that every worker's fork server is up."""
    completed(kinds.alone.enqueue_many([{"seconds": 0.5}] * threads))
