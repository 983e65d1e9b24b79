"""Failures counted by the hour and kind, as they come.

`fold` counts the last hour or two anew, from an index of failed tasks alone. A sum never goes down, so that a rerun
does not unsay what was seen; and it may be stored twice, so that any number may fold at once.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlmodel import Session

from models import ErrorCount, ErrorGroup, GroupState, Task, now, reading, tables, transaction
from models.db import once_more
from models.error_group import FAILED_ALIKE
from models.upsert import insert_missing, upsert
from services import audit
from services.error_groups import locked, set_state
from services.lifecycle.counts import hour_of
from settings import settings

LATE = timedelta(minutes=2)  # how late an ending may be committed after its hour
HOURS_A_TURN = 24
BATCH = 1_000

log = structlog.get_logger(__name__)

_count = tables.error_counts.c
_group = tables.error_groups.c
_task = tables.tasks.c


def fold(most_hours: int = HOURS_A_TURN) -> int:
    """Count what failed since the last time. Returns how many sums changed; any number may run at once."""
    with reading() as session:
        last = session.execute(select(func.max(_count.hour))).scalar()
        hour = _failing_from(session, max(_oldest(), min(last or 0, hour_of(now() - LATE))))
        changed: list[Any] = []
        while hour is not None and most_hours > 0:
            changed += _differences(session, hour)
            hour, most_hours = _failing_from(session, hour + 1), most_hours - 1
    if changed:
        _store(changed)
    return len(changed)


def purge(limit: int = BATCH) -> int:
    """Forget hours older than `keep_stats_days`, and kinds that have none left. Returns how many rows."""
    before = _oldest()
    with reading() as session:
        old = session.execute(
            select(_count.fingerprint, _count.hour).where(_count.hour < before).order_by(_count.hour).limit(limit)
        ).all()
    if not old:
        return 0
    prints = sorted({row.fingerprint for row in old})
    with transaction() as session:
        session.execute(delete(tables.error_counts).where(_count.hour <= old[-1].hour, _count.fingerprint.in_(prints)))
        _add_up(session, prints)
        session.execute(delete(tables.error_groups).where(_group.fingerprint.in_(prints), _group.total == 0))
    return len(old)


def _oldest() -> int:
    return hour_of(now() - timedelta(days=settings().keep_stats_days))


def _failing_from(session: Session, hour: int) -> int | None:
    """The first hour from this one on in which a task failed."""
    since = datetime.fromtimestamp(max(hour, 0) * 3600, UTC)
    query = select(func.min(_task.finished_at)).where(text(FAILED_ALIKE), _task.finished_at >= since)
    first = session.execute(query).scalar()
    return None if first is None else hour_of(first)


def _differences(session: Session, hour: int) -> list[Any]:
    """What was counted in an hour and is not in its sums: (fingerprint, hour, n, first and last time, last task)."""
    since = datetime.fromtimestamp(hour * 3600, UTC)
    query = (
        select(
            _task.fingerprint, func.count().label("n"), func.min(_task.finished_at).label("first_at"),
            func.max(_task.finished_at).label("last_at"), func.max(_task.id).label("last_task_id"),
        )
        .where(text(FAILED_ALIKE), _task.finished_at >= since, _task.finished_at < since + timedelta(hours=1))
        .group_by(_task.fingerprint)
    )  # fmt: skip
    known = dict(session.execute(select(_count.fingerprint, _count.n).where(_count.hour == hour)).all())
    rows = session.execute(query).all()
    return [(hour, row) for row in rows if row.n > known.get(row.fingerprint, 0)]


@once_more
def _store(changed: Sequence[tuple[int, Any]]) -> None:
    """The sums and the kinds, in one order, so that two that fold wait for one another."""
    changed = sorted(changed, key=lambda pair: (pair[1].fingerprint, pair[0]))
    by_print: dict[str, list[Any]] = defaultdict(list)
    for _, row in changed:
        by_print[row.fingerprint].append(row)
    prints = list(by_print)
    with transaction() as session:
        insert_missing(session, ErrorGroup, _new(session, by_print))
        groups = {one: locked(session, one) for one in prints}
        upsert(
            session,
            ErrorCount,
            [{"fingerprint": row.fingerprint, "hour": hour, "n": row.n} for hour, row in changed],
        )
        _add_up(session, prints)
        for one, rows in by_print.items():
            group, last = groups[one], max(rows, key=lambda row: row.last_at)
            if group is None:
                continue
            values: dict[str, Any] = {"first_at": min(group.first_at, *(row.first_at for row in rows))}
            if last.last_at >= group.last_at:
                values |= {"last_at": last.last_at, "last_task_id": last.last_task_id}
            session.execute(update(tables.error_groups).where(_group.fingerprint == one).values(**values))
            if group.state is GroupState.resolved and last.last_at > group.state_at:
                with audit.acting(audit.Actor("system")):
                    set_state(session, group, GroupState.open, "system", group.note)
                log.info("a resolved kind of failure failed again", fingerprint=one, task=last.last_task_id)


def _new(session: Session, by_print: dict[str, list[Any]]) -> list[dict[str, Any]]:
    ids = [row.last_task_id for rows in by_print.values() for row in rows]
    tasks = {t.id: t for t in session.execute(select(Task).where(_task.id.in_(ids))).scalars()}
    made = []
    for one, rows in by_print.items():
        last = max(rows, key=lambda row: row.last_at)
        task = tasks.get(last.last_task_id)
        made.append(
            {
                "fingerprint": one, "type": task.type if task else "", "total": 0,
                "error_class": task.error_class if task else None,
                "first_at": min(row.first_at for row in rows), "last_at": last.last_at,
                "last_task_id": last.last_task_id, "state": GroupState.open, "state_at": now(),
            }
        )  # fmt: skip
    return made


def _add_up(session: Session, prints: Sequence[str]) -> None:
    total = (
        select(func.coalesce(func.sum(_count.n), 0)).where(_count.fingerprint == _group.fingerprint).scalar_subquery()
    )
    session.execute(update(tables.error_groups).where(_group.fingerprint.in_(prints)).values(total=total))
