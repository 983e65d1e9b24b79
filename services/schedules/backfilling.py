"""Slots of the past that never ran: shown first, then run in the order and at the pace that was asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import structlog
from sqlalchemy import delete, insert, select
from sqlmodel import Session

from models import Cause, FireOutcome, Overlap, Role, Schedule, now, reading, tables, transaction
from models.db import once_more
from services import audit, catalog, checks
from services.enqueueing import put
from services.errors import InvalidInput
from services.lifecycle import create
from services.schedules import keeping
from services.schedules.due import Decision
from services.schedules.launching import Launch, common_of, name_tasks, options_of, payload_for
from services.schedules.reads import get
from services.schedules.rule import Rule, Slot
from services.schedules.runs import live_of
from services.schedules.spec import EARLIEST

log = structlog.get_logger(__name__)

MOST = 1_000
MOST_SPREAD_S = 86_400
_f = tables.fires.c


@dataclass(frozen=True)
class Backfill:
    """What a backfill would enqueue, or has enqueued."""

    slots: list[Slot]  # in the order in which they run
    left_out: int  # slots of the range that have run, or are enqueued
    run_at: list[datetime]  # when each may start
    one_after_another: bool  # each waits for the one before, whatever the times
    task_ids: list[int]


def preview_backfill(
    schedule_id: int, since: datetime, until: datetime, *, newest_first: bool = False, spread: timedelta | float = 0
) -> Backfill:
    """What `backfill` of the same would do. Raises `InvalidInput`, `NotFound`."""
    with reading() as session:
        return _prepared(session, get(schedule_id), since, until, newest_first, spread)


@once_more
def backfill(
    schedule_id: int, since: datetime, until: datetime, *, newest_first: bool = False, spread: timedelta | float = 0,
    reason: str | None = None,
) -> Backfill:  # fmt: skip
    """Run the slots from `since` to `until`, both included, that have not run: the oldest first, or the newest.

    `spread` is the time from one start to the next. Unless runs may overlap, each waits for the one before. Raises
    `InvalidInput` where the range is not of the past or holds more than 1,000 slots.
    """
    reason = None if reason is None else checks.name(reason, "reason", 500)
    with transaction() as session:
        row = keeping.locked(session, schedule_id)
        audit.require(Role.operator, owner=row.owner)
        plan = _prepared(session, row, since, until, newest_first, spread)
        if not plan.slots:
            return plan
        ids = _enqueue(session, row, plan)
        audit.record(
            "backfill", "schedule", row.id, reason=reason,
            after={"slots": len(ids), "first": plan.slots[0].name, "last": plan.slots[-1].name},
        )  # fmt: skip
        log.info("schedule backfilled", schedule=row.id, slots=len(ids), by=str(audit.current()))
        return Backfill(plan.slots, plan.left_out, plan.run_at, plan.one_after_another, ids)


def _prepared(session: Session, row: Schedule, since: Any, until: Any, newest_first: bool, spread: Any) -> Backfill:
    since, until = _past(since, "since"), _past(until, "until")
    if until < since:
        raise InvalidInput("until", f"{until.isoformat()} is before since; give a later time")
    seconds = checks.seconds(spread, "spread", 0, MOST_SPREAD_S)
    slots = list(islice(Rule.of(row).between(since, until), MOST + 1))
    if len(slots) > MOST:
        raise InvalidInput(
            "until", f"the range holds more than {MOST:,} slots; give a shorter one, in several steps if need be"
        )
    ran = _ran(session, row.id, since, until)
    open_ = [slot for slot in slots if slot.name not in ran]
    open_ = open_[::-1] if newest_first else open_
    at = now()
    starts = [at + timedelta(seconds=n * seconds) for n in range(len(open_))]
    return Backfill(open_, len(slots) - len(open_), starts, row.overlap is not Overlap.allow, [])


def _past(value: Any, field: str) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return checks.instant(value, field)
    if not EARLIEST <= value <= now():
        raise InvalidInput(field, f"{value.isoformat()} is not in the past, from 2000 to now; give such a time")
    return value


def _ran(session: Session, schedule_id: int, since: datetime, until: datetime) -> set[str]:
    done = _f.outcome.in_([FireOutcome.ran, FireOutcome.deduplicated])
    query = select(_f.slot).where(_f.schedule_id == schedule_id, _f.at.between(since, until), done)
    return set(session.execute(query).scalars())


def _enqueue(session: Session, row: Schedule, plan: Backfill) -> list[int]:
    """All of them in a few statements: the first may start at once, the others wait for it or for their time."""
    task_type = catalog.find(row.type)
    payloads = [payload_for(task_type, row, slot.at) for slot in plan.slots]
    common = {**common_of(task_type, row), **_by()}
    waits = plan.one_after_another
    live = live_of(session, [row.id]).get(row.id, []) if waits else []
    if live:
        first = [put(task_type, payloads[0], options_of(row, needs=live, on_parent_failure="run_anyway")).id]
    else:
        first = create.create(session, {**common, "waits_on": 0}, [{"payload": payloads[0]}])
    later = plan.run_at[1] if len(plan.run_at) > 1 else now()
    rest = {**common, "waits_on": int(waits), "run_at": later}
    if waits:
        rest["on_parent_failure"] = "run_anyway"
    ids = first + (create.create(session, rest, [{"payload": p} for p in payloads[1:]]) if payloads[1:] else [])
    if waits and len(ids) > 1:
        session.execute(insert(tables.task_needs), [{"child": b, "parent": a} for a, b in pairwise(ids)])
    launches = [
        Launch(row, Decision(slot, 0.0), payload, task_type, task_id)
        for slot, payload, task_id in zip(plan.slots, payloads, ids, strict=True)
    ]
    name_tasks(session, launches, {s.name: at for s, at in zip(plan.slots, plan.run_at, strict=True)})
    _write_down(session, launches)
    return ids


def _by() -> dict[str, Any]:
    """Whose wish it was: the schedule's tasks, on a person's word."""
    actor = audit.current()
    return {"created_by_kind": actor.kind, "owner": actor.operator_id} if actor.kind == "operator" else {}


def _write_down(session: Session, launches: Iterable[Launch]) -> None:
    """One row a slot: that it was missed or skipped before is said in it."""
    many = list(launches)
    names = [each.decision.slot.name for each in many]
    mine = (_f.schedule_id == many[0].row.id) & _f.slot.in_(names)
    before = {row.slot: row.outcome for row in session.execute(select(_f.slot, _f.outcome).where(mine))}
    session.execute(delete(tables.fires).where(mine))
    at = now()
    rows = []
    for each in many:
        slot, was = each.decision.slot, before.get(each.decision.slot.name)
        rows.append(
            {
                "schedule_id": each.row.id, "slot": slot.name, "at": slot.at, "fired_at": at, "cause": Cause.backfill,
                "late_s": (at - slot.at).total_seconds(), "outcome": FireOutcome.ran, "task_id": each.task_id,
                "why": None if was is None else f"{was.value} at its time",
            }
        )  # fmt: skip
    session.execute(insert(tables.fires), rows)
