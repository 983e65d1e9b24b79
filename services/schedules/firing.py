"""Firing: what is due becomes tasks, each slot once, in one transaction with its row and the schedule's next slot.

Any number of schedulers may do it at once: a schedule is locked while its slots are seen to, and another
scheduler passes over it (on SQLite there is one writer at a time). One that cannot enqueue
says so in its rows, and harms no other.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, String, bindparam, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from models import FireOutcome, Overlap, now, tables, transaction
from models.db import is_away, is_postgresql, once_more
from models.schedule import DUE_AT
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.lifecycle.look import looking_for
from services.schedules.due import Decision, Due, decide, slots_due
from services.schedules.launching import Launch, launch_many, launch_one, register_queues
from services.schedules.payloads import Types
from services.schedules.rule import Slot
from services.schedules.runs import live_of
from services.schedules.writing import Plan, write_down

log = structlog.get_logger(__name__)

BATCH = {"postgresql": 5_000, "sqlite": 100}  # SQLite's only writer must not be held for long
UNUSED = {"description", "declared", "created_by", "updated_by", "disabled_reason"}
_s = tables.schedules.c


@looking_for(f"SELECT 1 FROM schedules WHERE {DUE_AT} AND due_at <= :now")
@once_more
def fire(limit: int | None = None) -> int:
    """Fire one batch of the schedules that are due, those that wait longest first. Returns how many."""
    with transaction() as session:
        at = now()
        rows = session.execute(_due(limit or BATCH["postgresql" if is_postgresql() else "sqlite"]), {"now": at}).all()
        if not rows:
            return 0
        plans = _planned(session, rows, at)
        register_queues(session, [each for plan in plans for each in plan.launches])
        try:
            with session.begin_nested():
                _carry_out(session, plans, at)
        except Exception as error:
            if _must_be_told(error):
                raise
            _one_by_one(session, rows, at)
        return len(rows)


@per_database
def _due(limit: int) -> Any:
    at = bindparam("now", type_=WHEN)
    due = select(*(c for c in _s if c.name not in UNUSED)).where(text(DUE_AT), _s.due_at <= at)
    return due.order_by(_s.due_at, _s.id).limit(limit).with_for_update(skip_locked=True)


def _must_be_told(error: Exception) -> bool:
    """Whether the whole is to be done again rather than in parts: the database is away, or broke a deadlock."""
    return is_away(error) or (isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == "40P01")


def _planned(session: Session, rows: Sequence[Any], at: datetime) -> list[Plan]:
    counted = [row.id for row in rows if row.overlap != Overlap.allow]
    live = live_of(session, counted)
    plans = [_plan(row, at, len(live.get(row.id, ()))) for row in rows]
    known, types = _written(session, plans), Types()
    for plan in plans:
        plan.decisions = [each for each in plan.decisions if (plan.row.id, each.slot.name) not in known]
        running = [each for each in plan.decisions if each.outcome is FireOutcome.ran]
        launches = [Launch(plan.row, each) for each in running]
        plan.launches = [each for each in launches if each.make_ready(types)]
    return plans


def _plan(row: Any, at: datetime, live: int) -> Plan:
    try:
        due = slots_due(row, at)
        return Plan(row, due, decide(row, due, at, live))
    except Exception as error:  # a zone that is gone, a rule that cannot be read: its own trouble alone
        log.exception("a schedule cannot be read", schedule=row.id)
        slot = Slot(row.next_slot, row.next_at)
        why = f"its rule cannot be read any more ({type(error).__name__}: {error})"[:500]
        late_s = (at - row.next_at).total_seconds()
        return Plan(row, Due([slot], None, True), [Decision(slot, late_s, FireOutcome.failed, why)], broken=why)


def _written(session: Session, plans: Sequence[Plan]) -> set[tuple[int, str]]:
    """Slots that have their row already: a backfill fired them, or the rule was changed and changed back."""
    rows = [{"schedule_id": p.row.id, "slot": each.slot.name} for p in plans for each in p.decisions]
    return {(row.schedule_id, row.slot) for row in session.execute(_known(), {"given": packed(rows)})}


@per_database
def _known() -> Any:
    v = given({"schedule_id": BigInteger(), "slot": String()}).c
    f = tables.fires.c
    return select(f.schedule_id, f.slot).where(f.schedule_id == v.schedule_id, f.slot == v.slot)


def _carry_out(session: Session, plans: Sequence[Plan], at: datetime) -> None:
    """The tasks, the rows of the slots, and the schedules' next slots."""
    launches = [each for plan in plans for each in plan.launches]
    special = {each.row.id for each in launches if not each.plain}
    launch_many(session, [each for each in launches if each.row.id not in special])
    live = live_of(session, sorted(special))
    for each in launches:
        if each.row.id in special:
            launch_one(session, each, live[each.row.id])
    write_down(session, plans, at)


def _one_by_one(session: Session, rows: Sequence[Any], at: datetime) -> None:
    """One of them breaks the batch: find out which, and let it say so."""
    for row in rows:
        (plan,) = _planned(session, [row], at)
        try:
            with session.begin_nested():
                _carry_out(session, [plan], at)
        except Exception as error:
            if _must_be_told(error):
                raise
            log.exception("a schedule cannot enqueue", schedule=row.id)
            why = f"{type(error).__name__}: {error}"[:500].replace("\0", "")
            for launch in plan.launches:
                launch.decision.drop(FireOutcome.failed, why)
            plan.launches = []
            write_down(session, [plan], at)
