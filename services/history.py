"""What became of things: a task's attempts, its kin, and the audit trail. Questions only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from models import Attempt, Event, Role, Task, TaskNeed, reading
from services import audit, checks

MOST_KIN = 200
MOST_EVENTS = 500

_attempt = Attempt.__table__.c  # type: ignore[attr-defined]
_event = Event.__table__.c  # type: ignore[attr-defined]
_need = TaskNeed.__table__.c  # type: ignore[attr-defined]
_task = Task.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Kin:
    """Tasks that have to do with one, newest first; of each kind at most 200."""

    needs: list[Task]
    needed_by: list[Task]
    made: list[Task]  # by its body
    reruns: list[Task]  # made of it by "run again"


def attempts(task_id: int) -> list[Attempt]:
    """The attempts that ended, newest first."""
    checks.whole(task_id, "id", 1, 2**53)
    with reading() as session:
        query = select(Attempt).where(_attempt.task_id == task_id).order_by(_attempt.epoch.desc()).limit(MOST_EVENTS)
        return list(session.execute(query).scalars())


def kin(task: Task) -> Kin:
    """What it needs, what needs it, what it made, what was made of it."""
    with reading():
        return Kin(
            _tasks(select(_need.parent).where(_need.child == task.id), _need.parent),
            _tasks(select(_need.child).where(_need.parent == task.id), _need.child),
            _tasks(select(_task.id).where(_task.parent_id == task.id), _task.id),
            _tasks(
                select(_task.id).where(_task.rerun_of == task.id, _task.id > task.id, _task.type == task.type),
                _task.id,
            ),
        )


def events(
    *, entity: str | None = None, entity_id: object = None, actor: str | None = None, verb: str | None = None,
    before: int | None = None, limit: int = 100,
) -> list[Event]:  # fmt: skip
    """The audit trail, newest first. A task's is open to all; the whole of it takes the role operator."""
    checks.whole(limit, "limit", 1, MOST_EVENTS)
    if entity != "task" or entity_id is None:
        audit.require(Role.operator)
    query = select(Event)
    for column, value in ((_event.entity, entity), (_event.actor_id, actor), (_event.verb, verb)):
        if value is not None:
            query = query.where(column == checks.name(value, column.name, 100))
    if entity_id is not None:
        query = query.where(_event.entity_id == checks.name(str(entity_id), "entity_id", 100))
    if before is not None:
        query = query.where(_event.id < checks.whole(before, "before", 1, 2**53))
    with reading() as session:
        return list(session.execute(query.order_by(_event.id.desc()).limit(limit)).scalars())


def _tasks(ids: Any, newest: Any) -> list[Task]:
    with reading() as session:
        found: Sequence[int] = session.execute(ids.order_by(newest.desc()).limit(MOST_KIN)).scalars().all()
        rows = session.execute(select(Task).where(_task.id.in_(found)).order_by(_task.id.desc())).scalars()
        return list(rows)
