"""Letting go: what was kept long enough is deleted, with everything that belongs to it, a little at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select, tuple_

from models import OperatorSession, Outcome, Status, now, reading, tables, transaction
from services import artifacts, removal
from services.lifecycle.counts import hour_of
from services.spans import SPANS, minute
from settings import settings

log = structlog.get_logger(__name__)

BATCH = 500
STOPPED_WORKERS_DAYS = 7
ENDED_SESSIONS_DAYS = 7
KEEP_MINUTES = 7 * 60
MEASURES = [*Status, *Outcome, "run", "wait"]  # all there are: the minutes are found by measure first

_task = tables.tasks.c
_session = OperatorSession.__table__  # type: ignore[attr-defined]
_need = tables.task_needs.c


def purge(limit: int = BATCH) -> int:
    """Delete what is older than the settings keep it: one batch of each kind. Returns how many rows were the reason.

    Any number may run at once: each row is deleted by one of them. Files without a row go when nothing else is left.
    """
    done = purge_tasks(limit) + purge_events(limit) + purge_stats(limit) + purge_minutes() + purge_workers(limit)
    done += purge_sessions(limit) + purge_runs(limit) + purge_fires(limit)
    return done or artifacts.sweep()


def purge_tasks(limit: int = BATCH) -> int:
    """Delete tasks that finished before `keep_finished_days`, none that a live task needs. Returns how many."""
    before = now() - timedelta(days=settings().keep_finished_days)
    ids = _old(before, limit)
    done = removal.remove(ids, before)
    if done:
        log.info("old tasks deleted", count=done, finished_before=before.isoformat(timespec="minutes"))
    return done


def purge_events(limit: int = BATCH) -> int:
    """Delete events older than `keep_events_days`. Returns how many."""
    e = tables.events.c
    before = now() - timedelta(days=settings().keep_events_days)
    return _delete(tables.events, e.id, select(e.id).where(e.at < before).order_by(e.at).limit(limit))


def purge_stats(limit: int = BATCH) -> int:
    """Delete hourly statistics older than `keep_stats_days`; the gauges (hour 0) stay. Returns how many rows."""
    r = tables.rollups.c
    before = hour_of(now() - timedelta(days=settings().keep_stats_days))
    old = select(r.hour).where(r.hour.between(1, before - 1)).order_by(r.hour).limit(limit)
    with reading() as session:
        hours = sorted(set(session.execute(old).scalars()))
    if not hours:
        return 0
    with transaction() as session:
        gone = delete(tables.rollups).where(r.hour.between(1, hours[-1]), r.hour < before)
        return session.execute(gone).rowcount  # type: ignore[attr-defined]


def purge_minutes() -> int:
    """Delete statistics that are older than the charts which show them. Returns how many rows."""
    at, m, s = minute(), tables.rollup_minutes.c, tables.rollup_spans.c
    old: list[Any] = [(m, m.measure.in_(MEASURES), m.minute < at - KEEP_MINUTES)]
    old += [(s, s.span == one.name, s.slot < at - one.minutes - one.slow) for one in SPANS.values()]
    done = 0
    for column, *conditions in old:
        with reading() as session:
            if session.execute(select(column.measure).where(*conditions).limit(1)).first() is None:
                continue
        with transaction() as session:
            gone = delete(column.measure.table).where(*conditions)
            done += session.execute(gone).rowcount  # type: ignore[attr-defined]
    return done


def purge_workers(limit: int = BATCH) -> int:
    """Delete the rows of processes that stopped a week ago, or were not heard of for as long. Returns how many."""
    w = tables.workers.c
    before = now() - timedelta(days=STOPPED_WORKERS_DAYS)
    old = select(w.name).where((w.stopped_at < before) | (w.stopped_at.is_(None) & (w.last_beat_at < before)))
    return _delete(tables.workers, w.name, old.limit(limit))


def purge_sessions(limit: int = BATCH) -> int:
    """Delete sign-ins that ran out a week ago; who signed in when stays in the audit. Returns how many."""
    before = now() - timedelta(days=ENDED_SESSIONS_DAYS)
    old = select(_session.c.id).where(_session.c.expires_at < before)
    return _delete(_session, _session.c.id, old.limit(limit))


def purge_runs(limit: int = BATCH) -> int:
    """Delete the runs of schedules beyond the newest `keep_runs` of each; their fires stay. Returns how many."""
    newest_first = func.row_number().over(partition_by=_task.schedule_id, order_by=_task.id.desc()).label("n")
    runs = select(_task.id, _task.schedule_id, newest_first).where(
        _task.schedule_id.is_not(None), _task.finished_at.is_not(None)
    )
    each, s, f = runs.subquery("runs"), tables.schedules.c, tables.fires.c
    followed = ~select(f.task_id).where(f.task_id == each.c.id, f.ended_at.is_(None)).exists()
    old = select(each.c.id).join(tables.schedules, s.id == each.c.schedule_id).where(each.c.n > s.keep_runs, followed)
    with reading() as session:
        ids = session.execute(old.order_by(each.c.id).limit(limit)).scalars().all()
        ids = sorted(set(ids) - set(session.execute(removal.needed(_need.parent.in_(ids))).scalars())) if ids else ids
    return removal.remove(ids, now())


def purge_fires(limit: int = BATCH) -> int:
    """Delete what became of slots before `keep_finished_days`, then deleted schedules without any. Returns how many."""
    f, s = tables.fires.c, tables.schedules.c
    before = now() - timedelta(days=settings().keep_finished_days)
    old = select(f.schedule_id, f.slot).where(f.at < before).order_by(f.at, f.schedule_id, f.slot).limit(limit)
    with reading() as session:
        slots = [tuple(row) for row in session.execute(old)]
    if slots:
        with transaction() as session:
            gone = delete(tables.fires).where(tuple_(f.schedule_id, f.slot).in_(slots), f.at < before)
            return session.execute(gone).rowcount  # type: ignore[attr-defined]
    has_fires = select(f.slot).where(f.schedule_id == s.id).exists()
    return _delete(tables.schedules, s.id, select(s.id).where(s.deleted_at < before, ~has_fires).limit(limit))


def _old(before: datetime, limit: int) -> Sequence[int]:
    nobody_waits = ~removal.needed(_need.parent == _task.id).correlate(tables.tasks).exists()
    old = select(_task.id).where(_task.finished_at < before, nobody_waits).order_by(_task.finished_at).limit(limit)
    with reading() as session:
        return session.execute(old).scalars().all()


def _delete(table: Any, key: Any, old: Any) -> int:
    """Look without a lock first: most of the time there is nothing."""
    with reading() as session:
        keys = session.execute(old).scalars().all()
    if not keys:
        return 0
    with transaction() as session:
        return session.execute(delete(table).where(key.in_(keys))).rowcount  # type: ignore[attr-defined]
