"""What persons and programs do with schedules. Each act is an audited event in the same transaction."""

from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import FireOutcome, Role, Schedule, now, tables, transaction
from models.db import once_more
from models.schedule import NOT_DELETED
from services import audit, checks
from services.errors import Conflict, InvalidInput
from services.schedules import runs, spec
from services.schedules.keeping import NOBODY, change, locked, pass_over, placed, signed
from services.schedules.rule import Rule, Slot

log = structlog.get_logger(__name__)

_s = tables.schedules.c


def create(
    name: str, task_type: Any, payload: dict[str, Any] | None = None, *, enabled: bool = True, **fields: Any
) -> Schedule:
    """Make a schedule of a task type, or of its actor; `fields` are those of `Spec`.

    Raises `InvalidInput` or `NotFound` before anything is written.
    """
    audit.require(Role.member)
    return insert_new(spec.chosen({"name": name, "type": task_type, "payload": payload, **fields}).columns(), enabled)


@once_more
def insert_new(columns: dict[str, Any], enabled: bool, **more: Any) -> Schedule:
    """Write a checked schedule down."""
    at, rule = now(), Rule(**{name: columns[name] for name in spec.RULE})
    slot = rule.first(at)
    _must_fire(slot, rule)
    by = str(audit.current())[:120]
    values = {
        **columns, **more, "enabled": enabled, "owner": audit.current().operator_id, "created_at": at, "updated_at": at,
        "created_by": by, "updated_by": by,
    }  # fmt: skip
    if not enabled:
        values |= {"disabled_at": at, "disabled_by": by, "disabled_reason": "made so"}
    with transaction() as session:
        _must_be_new(session, columns["name"])
        try:
            with session.begin_nested():
                made = session.execute(insert(tables.schedules).values(**values).returning(_s.id)).scalar_one()
        except IntegrityError:  # somebody was faster
            _must_be_new(session, columns["name"])
            raise
        if enabled:
            change(session, made, **placed(made, slot, columns["jitter_s"]))
        audit.record("create", "schedule", made, after=spec.plain(columns))
        log.info("schedule created", schedule=made, name=columns["name"], by=by)
        return locked(session, made)


def update(schedule_id: int, *, version: int | None = None, reason: str | None = None, **changes: Any) -> Schedule:
    """Change fields of `Spec`; when it fires next is worked out anew.

    `version` is that of the schedule as the caller read it. Raises `Conflict` where it has another by now.
    """
    return change_to(schedule_id, changes, version=version, reason=reason)


@once_more
def change_to(
    schedule_id: int, changes: dict[str, Any], version: int | None = None, reason: str | None = None, **more: Any
) -> Schedule:
    """The same; `more` are further columns."""
    reason = None if reason is None else checks.name(reason, "reason", 500)
    with transaction() as session:
        row = _mine(session, schedule_id, version)
        columns = spec.chosen({**spec.of_row(row), **_anchored(row, changes)}).columns()
        differs = {name: value for name, value in columns.items() if getattr(row, name) != value}
        if not differs and not more:
            return row
        if "name" in differs:
            _must_be_new(session, columns["name"])
        when = {"version": row.version + 1, **signed(), **more}
        if differs.keys() & spec.RULE:
            when |= _moved(session, row, columns)
        elif "jitter_s" in differs and row.next_slot is not None:
            when |= placed(row.id, Slot(row.next_slot, row.next_at), columns["jitter_s"])  # type: ignore[arg-type]
        change(session, row.id, **differs, **when)
        before = spec.plain({name: getattr(row, name) for name in differs})
        audit.record("update", "schedule", row.id, before=before, after=spec.plain(differs), reason=reason)
        return locked(session, row.id)


def _anchored(row: Schedule, changes: dict[str, Any]) -> dict[str, Any]:
    """An interval keeps its anchor unless it is given a new start; cron has none."""
    if "cron" in changes and changes["cron"] is not None:
        return {"every": None, "anchor_at": None, **changes}
    if "every" in changes and changes["every"] is not None:
        changes = {"cron": None, **changes}
    if changes.get("start_at") is not None and "anchor_at" not in changes:
        changes = {**changes, "anchor_at": None}
    return changes


def _moved(session: Session, row: Schedule, columns: dict[str, Any]) -> dict[str, Any]:
    """A new rule: what passed under the old one is written down, and the next slot is one of the new."""
    at = now()
    if row.enabled:
        pass_over(session, row, at, FireOutcome.missed, NOBODY)
    else:
        pass_over(session, row, at, FireOutcome.skipped, "paused")
    rule = Rule(**{name: columns[name] for name in spec.RULE})
    slot = rule.first(_position(row, at))
    _must_fire(slot, rule)
    return placed(row.id, slot, columns["jitter_s"]) if row.enabled else {}


def _position(row: Schedule, at: datetime) -> datetime:
    """Nothing up to the last slot fires again, wherever the clock was put meanwhile."""
    return at if row.last_at is None else max(at, row.last_at)


@once_more
def disable(schedule_id: int, reason: str, *, version: int | None = None) -> Schedule:
    """Let it fire no more until it is enabled; what it enqueued goes on."""
    reason = checks.name(reason, "reason", 500)
    with transaction() as session:
        row = _mine(session, schedule_id, version)
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
        row = _mine(session, schedule_id, version)
        if row.enabled:
            return row
        at, rule = now(), Rule.of(row)
        slot = rule.first(_position(row, at))
        _must_fire(slot, rule)
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
        row = _mine(session, schedule_id, version)
        ended = _cancel_runs(session, row) if cancel_runs else []
        change(session, row.id, enabled=False, deleted_at=now(), **signed(), **placed(row.id, None, 0))
        audit.record(
            "delete", "schedule", row.id, before={"name": row.name}, after={"cancelled": ended[:100]}, reason=reason
        )
        log.info("schedule deleted", schedule=row.id, name=row.name, by=str(audit.current()))
        return ended


def _cancel_runs(session: Session, row: Schedule) -> list[int]:
    live = runs.live_of(session, [row.id]).get(row.id, [])
    return [
        task.id
        for task in runs.cancel(session, live, f"its schedule {row.name} was deleted", "its schedule was deleted")
    ]


def _mine(session: Session, schedule_id: int, version: int | None) -> Schedule:
    """The schedule, locked, if the acting person may change it and it is still the one that they read."""
    row = locked(session, schedule_id)
    audit.require(Role.operator, owner=row.owner)
    if version is not None and checks.whole(version, "version", 1, 2**31 - 1) != row.version:
        ago = max(0, round((now() - row.updated_at).total_seconds()))
        raise Conflict(f"{row.name} was changed by {row.updated_by} {_ago(ago)} ago; load it again, then change it")
    return row


def _ago(seconds: int) -> str:
    for name, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


def _must_be_new(session: Session, name: str) -> None:
    taken = session.execute(select(_s.id).where(_s.name == name, text(NOT_DELETED))).scalar()
    if taken is not None:
        raise InvalidInput(
            "name", f"there is a schedule {checks.shortened(name)} already, #{taken}; choose another name"
        )


def _must_fire(slot: Any, rule: Rule) -> None:
    if slot is None:
        until = "" if rule.end_at is None else f" before {rule.end_at.isoformat(timespec='minutes')}"
        raise InvalidInput("end_at", f"it would never fire{until}; give a later end, or another rule")
