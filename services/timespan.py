"""Which ids were made in a span of time. Ids grow with time, so a few look-ups by id do what an index would."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from models import tables

APART = timedelta(minutes=10)  # ids are not quite in the order of `created_at`: clocks differ, transactions last
_task = tables.tasks.c


def ids_created(session: Session, since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The least and the highest id that a task made from `since` to `until` may have; a little more than needed."""
    # Two questions: SQLite answers both at once by reading everything
    low = session.execute(select(func.min(_task.id))).scalar()
    high = session.execute(select(func.max(_task.id))).scalar()
    if low is None or high is None:
        return 1, 0
    return (
        low if since is None else _first_from(session, since - APART, low, high),
        high if until is None else _first_from(session, until + APART, low, high),
    )


def _first_from(session: Session, moment: datetime, low: int, high: int) -> int:
    """By halving: an id such that tasks before it were made before `moment`; `high` where there is none."""
    while low < high:
        middle = (low + high) // 2
        row = session.execute(
            select(_task.id, _task.created_at).where(_task.id >= middle).order_by(_task.id).limit(1)
        ).one()
        if row.created_at >= moment:
            high = middle
        else:
            low = row.id + 1
    return low
