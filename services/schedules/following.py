"""What the runs came to: written beside their slots, counted, and reason to pause after too many failures in a row."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, Float, Select, String, select, text, update
from sqlmodel import Session

from models import FireOutcome, Status, now, reading, tables, transaction
from models.db import once_more
from models.schedule import FOLLOWED
from services import audit
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.schedules.keeping import change, placed

log = structlog.get_logger(__name__)

BATCH = 1_000
_s, _f, _t = tables.schedules.c, tables.fires.c, tables.tasks.c


def follow(limit: int = BATCH) -> int:
    """Note how one batch of runs ended. Returns how many."""
    with reading() as session:  # an idle look takes no lock
        ended = session.execute(_ended().limit(limit)).all()
    return _note({row.schedule_id for row in ended}, {(r.schedule_id, r.slot) for r in ended}) if ended else 0


@per_database
def _ended() -> Select:
    """Slots whose run has ended since, or whose task is gone."""
    return (
        select(_f.schedule_id, _f.slot, _f.outcome, _t.id, _t.status, _t.started_at, _t.finished_at, _t.error_class)
        .join(tables.tasks, _t.id == _f.task_id, isouter=True)
        .where(text(f"fires.{FOLLOWED.replace(' AND ', ' AND fires.')}"), _t.finished_at.is_not(None) | _t.id.is_(None))
        .order_by(_t.finished_at, _f.task_id)
    )


@once_more
def _note(schedule_ids: set[int], slots: set[tuple[int, str]]) -> int:
    with transaction() as session:
        mine = select(tables.schedules).where(_s.id.in_(sorted(schedule_ids))).order_by(_s.id).with_for_update()
        schedules = {row.id: row for row in session.execute(mine)}
        # Asked once more behind the locks: another scheduler may have been faster
        rows = [
            r
            for r in session.execute(_ended().where(_f.schedule_id.in_(schedules)))
            if (r.schedule_id, r.slot) in slots
        ]
        by_schedule = defaultdict(list)
        for row in rows:
            by_schedule[row.schedule_id].append(row)
        if rows:
            session.execute(_end(), {"given": packed(_row(row) for row in rows)})
        for schedule_id, runs in by_schedule.items():
            _count(session, schedules[schedule_id], [run for run in runs if run.outcome == FireOutcome.ran and run.id])
        return len(rows)


def _row(row: Any) -> dict[str, Any]:
    found = {
        "schedule_id": row.schedule_id, "slot": row.slot, "ended_at": row.finished_at or now(),
        "status": None if row.status is None else row.status.value, "run_s": _run_s(row),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _run_s(row: Any) -> float | None:
    if row.started_at is None or row.finished_at is None:
        return None
    return max(0.0, (row.finished_at - row.started_at).total_seconds())


@per_database
def _end() -> Any:
    v = given({"schedule_id": BigInteger(), "slot": String(), "ended_at": WHEN, "status": String(), "run_s": Float()}).c
    return (
        update(tables.fires)
        .where(_f.schedule_id == v.schedule_id, _f.slot == v.slot)
        .values(task_status=v.status, ended_at=v.ended_at, run_s=v.run_s)
    )


def _count(session: Session, row: Any, runs: Sequence[Any]) -> None:
    """The schedule's own counts; a cancelled run is neither a success nor a failure."""
    if not runs:
        return
    completed = [run for run in runs if run.status is Status.completed]
    failed = [run for run in runs if run.status is Status.failed]
    in_row = row.failures_in_row
    for run in runs:
        in_row = 0 if run.status is Status.completed else in_row + (run.status is Status.failed)
    values: dict[str, Any] = {
        "completed": row.completed + len(completed), "failed": row.failed + len(failed), "failures_in_row": in_row,
        "run_s": row.run_s + sum(_run_s(run) or 0.0 for run in completed), "last_status": runs[-1].status.value,
    }  # fmt: skip
    if completed:
        values["last_completed_at"] = _latest(row.last_completed_at, completed[-1].finished_at)
    change(session, row.id, **values)
    if row.pause_after is not None and row.enabled and in_row >= row.pause_after:
        _pause(session, row, in_row, failed[-1])


def _latest(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else max(known, at)


def _pause(session: Session, row: Any, failures: int, last: Any) -> None:
    """It fails again and again: stop it, and say so."""
    named = f" ({last.error_class})" if last.error_class else ""
    why = f"{failures} failure{'s' * (failures != 1)} in a row, the last #{last.id}{named}"[:500]
    change(
        session, row.id, enabled=False, disabled_at=now(), disabled_by="system", disabled_reason=why,
        version=row.version + 1, updated_at=now(), updated_by="system", **placed(row.id, None, 0),
    )  # fmt: skip
    with audit.acting(audit.Actor("system", "schedules")):
        audit.record("pause", "schedule", row.id, before={"enabled": True}, after={"enabled": False}, reason=why)
    log.warning("schedule paused", schedule=row.id, name=row.name, reason=why)
