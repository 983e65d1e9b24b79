"""The runs of schedules that have not ended."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import select, text
from sqlmodel import Session

from models import Task, tables
from models.task import LIVE_OF_SCHEDULE
from services import audit
from services.errors import StaleTask
from services.lifecycle import acts
from services.lifecycle.batch import among, listed, per_database

_t = tables.tasks.c


def live_of(session: Session, schedule_ids: Collection[int]) -> dict[int, list[int]]:
    """The runs of these schedules that have not ended, oldest first."""
    found: dict[int, list[int]] = defaultdict(list)
    if schedule_ids:
        for row in session.execute(_live(), {"ids": listed(schedule_ids)}):
            found[row.schedule_id].append(row.id)
    return found


@per_database
def _live() -> Any:
    wanted = select(_t.schedule_id, _t.id).where(among(_t.schedule_id), text(LIVE_OF_SCHEDULE))
    return wanted.order_by(_t.schedule_id, _t.id)


def cancel(session: Session, task_ids: Collection[int], why: str, reason: str) -> list[Task]:
    """Cancel these, each an event with the reason; returns how those stand that had not ended a moment ago."""
    asked = []
    for task_id in task_ids:
        try:
            task = acts.cancel(session, task_id, str(audit.current()), why[:500])
        except StaleTask:
            continue
        audit.record("cancel", "task", task_id, after={"status": task.status.value}, reason=reason)
        asked.append(task)
    return asked
