"""The rows of schedules and fires: reading them behind a lock, placing the next slot, writing slots down."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlmodel import Session

from models import Cause, FireOutcome, Role, Schedule, now, tables
from models.schedule import NOT_DELETED
from services import audit, checks
from services.errors import Conflict, InvalidInput, NotFound
from services.schedules.rule import Rule, Slot, jitter

NOBODY = "nobody fired it at its time: no scheduler was running, or it was held up"
MOST_ROWS = 1_000  # written at once for slots that passed
MOST_LOOKED_AT = 50_000  # a minute's schedule that was off for a month
_s = tables.schedules.c


def locked(session: Session, schedule_id: int) -> Schedule:
    """The schedule, locked until the transaction ends. Raises `NotFound`."""
    checks.whole(schedule_id, "id", 1, 2**53)
    query = select(Schedule).where(_s.id == schedule_id, text(NOT_DELETED)).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no schedule #{schedule_id}")
    session.expunge(row)  # a picture of this moment
    return row


def placed(schedule_id: int, slot: Slot | None, jitter_s: int) -> dict[str, Any]:
    """The columns that say which slot comes next."""
    if slot is None:
        return {"next_slot": None, "next_at": None, "due_at": None}
    return {"next_slot": slot.name, "next_at": slot.at, "due_at": slot.at + jitter(schedule_id, slot.name, jitter_s)}


def change(session: Session, schedule_id: int, **values: Any) -> None:
    """Write columns of one schedule."""
    session.execute(update(tables.schedules).where(_s.id == schedule_id).values(**values))


def signed() -> dict[str, Any]:
    """Who changed it, and when."""
    return {"updated_at": now(), "updated_by": str(audit.current())[:120]}


def pass_over(session: Session, row: Schedule, until: datetime, outcome: FireOutcome, why: str) -> None:
    """Write down the slots that went by without firing, the newest thousand of them; none of them fires any more."""
    since = row.last_at or row.created_at
    passed = deque(islice(_up_to(Rule.of(row), since, until), MOST_LOOKED_AT), maxlen=MOST_ROWS)
    known = {f for (f,) in session.execute(_known(row.id, since))}
    rows = [
        {
            "schedule_id": row.id, "slot": slot.name, "at": slot.at, "fired_at": until, "outcome": outcome, "why": why,
            "late_s": 0.0, "cause": Cause.automatic,
        }
        for slot in passed
        if slot.name not in known
    ]  # fmt: skip
    if rows:
        session.execute(insert(tables.fires), rows)
        change(session, row.id, last_slot=rows[-1]["slot"], last_outcome=outcome)
    change(session, row.id, last_at=max(since, until))


def _up_to(rule: Rule, since: datetime, until: datetime) -> Iterable[Slot]:
    for slot in rule.after(since):
        if slot.at > until:
            return
        yield slot


def _known(schedule_id: int, since: datetime) -> Any:
    f = tables.fires.c
    return select(f.slot).where(f.schedule_id == schedule_id, f.at >= since - timedelta(days=1))


def position(row: Schedule, at: datetime) -> datetime:
    """Nothing up to the last slot fires again, wherever the clock was put meanwhile."""
    return at if row.last_at is None else max(at, row.last_at)


def must_fire(slot: Slot | None, rule: Rule) -> None:
    """Refuse a rule without a slot to come. Raises `InvalidInput`."""
    if slot is None:
        until = "" if rule.end_at is None else f" before {rule.end_at.isoformat(timespec='minutes')}"
        raise InvalidInput("end_at", f"it would never fire{until}; give a later end, or another rule")


def mine(session: Session, schedule_id: int, version: int | None) -> Schedule:
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
