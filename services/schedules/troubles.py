"""What is not as it should be with schedules. Reads their own rows, never the history of fires."""

from datetime import datetime, timedelta
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import and_, case, func, or_, select, text

from models import FireOutcome, Schedule, now, reading, tables
from models.schedule import NOT_DELETED
from services import checks

LATE_AFTER = timedelta(minutes=1)
MOST = 1_000
_s = tables.schedules.c


@unique
class Trouble(StrEnum):
    """What may be wrong with a schedule, the worst first."""

    late = "late"  # due, and not fired
    paused = "paused"  # after too many failures, or because its rule cannot be read any more
    failing = "failing"  # its last runs failed, or its last slot could not be enqueued
    missed = "missed"  # nobody fired its last slot
    never = "never"  # it is on and never fires (again); one that ran up to its end has done its work


def trouble(row: Schedule, at: datetime | None = None) -> Trouble | None:
    """What is wrong with this one; the worst, where it is more."""
    at = at or now()
    if row.deleted_at is not None:
        return None
    if not row.enabled:
        return Trouble.paused if row.disabled_by == "system" else None
    if row.due_at is not None and row.due_at < at - LATE_AFTER:
        return Trouble.late
    if row.failures_in_row > 0 or row.last_outcome is FireOutcome.failed:
        return Trouble.failing
    if row.last_outcome is FireOutcome.missed:
        return Trouble.missed
    done = row.end_at is not None and row.last_at is not None
    return Trouble.never if row.due_at is None and not done else None


def troubled(at: datetime) -> dict[Trouble, Any]:
    """The same as conditions of a query, each by itself."""
    on = _s.enabled.is_(True)
    return {
        Trouble.late: _s.due_at < at - LATE_AFTER,
        Trouble.paused: and_(_s.enabled.is_(False), _s.disabled_by == "system"),
        Trouble.failing: and_(on, or_(_s.failures_in_row > 0, _s.last_outcome == FireOutcome.failed)),
        Trouble.missed: and_(on, _s.last_outcome == FireOutcome.missed),
        Trouble.never: and_(on, _s.due_at.is_(None), or_(_s.end_at.is_(None), _s.last_at.is_(None))),
    }


def attention(limit: int = 100) -> dict[Trouble, list[Schedule]]:
    """What a person should look at, by what is wrong: of each at most `limit`, by name."""
    checks.whole(limit, "limit", 1, MOST)
    asked = troubled(now())
    wanted = select(Schedule).where(text(NOT_DELETED)).order_by(_s.name).limit(limit)
    wanted = wanted.execution_options(populate_existing=True)
    with reading() as session:
        # One look at each row says which of them there are at all; mostly none
        there = select(*(func.max(case((where, 1), else_=0)) for where in asked.values())).where(text(NOT_DELETED))
        found = dict(zip(asked, session.execute(there).one(), strict=True))
        return {
            name: list(session.execute(wanted.where(where)).scalars()) if found[name] else []
            for name, where in asked.items()
        }
