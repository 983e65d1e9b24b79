"""Switching schedules on and off, and deleting them. Each act is an audited event in the same transaction."""

import structlog
from sqlmodel import Session

from models import FireOutcome, Schedule, now, transaction
from models.db import once_more
from services import audit, checks
from services.schedules import runs
from services.schedules.keeping import NOBODY, change, locked, mine, must_fire, pass_over, placed, position, signed
from services.schedules.rule import Rule

log = structlog.get_logger(__name__)


@once_more
def disable(schedule_id: int, reason: str, *, version: int | None = None) -> Schedule:
    """Let it fire no more until it is enabled; what it enqueued goes on."""
    reason = checks.name(reason, "reason", 500)
    with transaction() as session:
        row = mine(session, schedule_id, version)
        if not row.enabled:
            return row
        late = row.due_at is not None and row.due_at < now()
        if late:
            pass_over(session, row, now(), FireOutcome.missed, NOBODY)
        by = str(audit.current())[:120]
        change(
            session, row.id, enabled=False, disabled_at=now(), disabled_by=by, disabled_reason=reason,
            version=row.version + 1, **signed(), **placed(row.id, None, 0),
        )  # fmt: skip
        audit.record("disable", "schedule", row.id, before={"enabled": True}, after={"enabled": False}, reason=reason)
        return locked(session, row.id)


@once_more
def enable(schedule_id: int, reason: str | None = None, *, version: int | None = None) -> Schedule:
    """Let it fire again, from its next slot on; those that passed meanwhile are written down as skipped."""
    reason = None if reason is None else checks.name(reason, "reason", 500)
    with transaction() as session:
        row = mine(session, schedule_id, version)
        if row.enabled:
            return row
        at, rule = now(), Rule.of(row)
        slot = rule.first(position(row, at))
        must_fire(slot, rule)
        pass_over(session, row, at, FireOutcome.skipped, "paused")
        change(
            session, row.id, enabled=True, disabled_at=None, disabled_by=None, disabled_reason=None, failures_in_row=0,
            version=row.version + 1, **signed(), **placed(row.id, slot, row.jitter_s),
        )  # fmt: skip
        audit.record("enable", "schedule", row.id, before={"enabled": False}, after={"enabled": True}, reason=reason)
        return locked(session, row.id)


@once_more
def delete(
    schedule_id: int, reason: str | None = None, *, cancel_runs: bool = False, version: int | None = None
) -> list[int]:
    """Delete it; its history stays. With `cancel_runs` its live runs are cancelled; returns their ids."""
    reason = None if reason is None else checks.name(reason, "reason", 500)
    with transaction() as session:
        row = mine(session, schedule_id, version)
        ended = _cancel_runs(session, row) if cancel_runs else []
        change(session, row.id, enabled=False, deleted_at=now(), **signed(), **placed(row.id, None, 0))
        audit.record(
            "delete", "schedule", row.id, before={"name": row.name}, after={"cancelled": ended[:100]}, reason=reason
        )
        log.info("schedule deleted", schedule=row.id, name=row.name, by=str(audit.current()))
        return ended


def _cancel_runs(session: Session, row: Schedule) -> list[int]:
    live = runs.live_of(session, [row.id]).get(row.id, [])
    asked = runs.cancel(session, live, f"its schedule {row.name} was deleted", "its schedule was deleted")
    return [task.id for task in asked]
