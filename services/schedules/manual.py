"""A run out of turn: now, because a person asked for it. Its slot is the moment itself."""

from datetime import UTC
from typing import Any

import structlog
from sqlalchemy import insert
from sqlmodel import Session

from models import Cause, FireOutcome, Role, Schedule, Task, now, tables, transaction
from models.db import once_more
from services import audit, catalog, checks
from services.errors import StaleTask
from services.schedules import keeping
from services.schedules.due import Decision, meet
from services.schedules.launching import Launch, launch_one, payload_for
from services.schedules.rule import Slot
from services.schedules.runs import live_of

log = structlog.get_logger(__name__)


@once_more
def run_now(schedule_id: int, reason: str | None = None) -> Task:
    """Enqueue one run now, also of a disabled schedule; when it fires next stays as it is.

    Raises `StaleTask` where an earlier run has not ended and the policy for overlap forbids another, `InvalidInput`
    where the payload no longer fits the type.
    """
    reason = None if reason is None else checks.name(reason, "reason", 500)
    with transaction() as session:
        row = keeping.locked(session, schedule_id)
        audit.require(Role.operator, owner=row.owner)
        at = now()
        decision = Decision(Slot(f"manual {at.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z", at), 0.0)
        live = live_of(session, [row.id]).get(row.id, [])
        _must_meet(row, decision, live)
        task_type = catalog.find(row.type)
        launch = Launch(row, decision, payload_for(task_type, row, at), task_type)
        task = launch_one(session, launch, live, audit.current())
        write_fire(session, launch, Cause.manual)
        audit.record("run_now", "schedule", row.id, after={"task": task.id}, reason=reason)
        log.info("schedule run by hand", schedule=row.id, task=task.id, by=str(audit.current()))
        return task


def _must_meet(row: Schedule, decision: Decision, live: list[int]) -> None:
    if not meet(row.overlap, decision, len(live)):
        raise StaleTask(
            f"{row.name}: #{live[-1]} has not ended, and its policy for overlap is "
            f"{row.overlap.value.replace('_', ' ')}; wait for it, cancel it, or let runs overlap"
        )  # fmt: skip


def write_fire(session: Session, launch: Launch, cause: Cause) -> None:
    """The row of one slot."""
    decision: Any = launch.decision
    session.execute(
        insert(tables.fires).values(
            schedule_id=launch.row.id, slot=decision.slot.name, at=decision.slot.at, fired_at=now(), cause=cause,
            outcome=decision.outcome, why=decision.why, task_id=launch.task_id, late_s=0.0,
        )
    )  # fmt: skip
    if decision.outcome is FireOutcome.ran:
        keeping.change(session, launch.row.id, last_outcome=decision.outcome)
