"""Firing: what is due becomes tasks, each slot once, in one transaction with its row and the schedule's next slot.

Any number of schedulers may do it at once: a schedule is locked while its slots are seen to, and another
scheduler passes over it (on SQLite there is one writer at a time). One that cannot enqueue
says so in its rows, and harms no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import BigInteger, Boolean, Float, String, bindparam, case, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from models import Cause, FireOutcome, Overlap, now, reading, tables, transaction
from models.db import is_away, is_postgresql, once_more
from models.schedule import DUE_AT
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.schedules.due import Decision, Due, decide, slots_due
from services.schedules.keeping import placed
from services.schedules.launching import Launch, Types, launch_many, launch_one, register_queues
from services.schedules.rule import Slot
from services.schedules.runs import live_of

log = structlog.get_logger(__name__)

BATCH = {"postgresql": 5_000, "sqlite": 100}  # SQLite's only writer must not be held for long
UNUSED = {"description", "declared", "created_by", "updated_by", "disabled_reason"}
_s = tables.schedules.c


@dataclass(slots=True)
class Plan:
    """What is to become of one schedule's due slots."""

    row: Any
    due: Due
    decisions: list[Decision] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    broken: str | None = None  # why it can fire no more


def fire(limit: int | None = None) -> int:
    """Fire one batch of the schedules that are due, those that wait longest first. Returns how many."""
    with reading() as session:  # an idle look takes no lock
        if session.execute(_due(1), {"now": now()}).first() is None:
            return 0
    return _fire(limit or BATCH["postgresql" if is_postgresql() else "sqlite"])


@once_more
def _fire(limit: int) -> int:
    with transaction() as session:
        at = now()
        rows = session.execute(_due(limit, True), {"now": at}).all()
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
def _due(limit: int, locking: bool = False) -> Any:
    at = bindparam("now", type_=WHEN)
    due = (
        select(*(c for c in _s if c.name not in UNUSED))
        .where(text(DUE_AT), _s.due_at <= at)
        .order_by(_s.due_at, _s.id)
        .limit(limit)
    )
    return due.with_for_update(skip_locked=True) if locking else due


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


def write_down(session: Session, plans: Sequence[Plan], at: datetime) -> None:
    """The rows of the slots, and what the schedules say next."""
    made = {(each.row.id, each.decision.slot.name): each.task_id for plan in plans for each in plan.launches}
    fires = [
        {
            "schedule_id": plan.row.id, "slot": each.slot.name, "at": each.slot.at, "fired_at": at,
            "late_s": max(0.0, each.late_s), "cause": Cause.automatic, "outcome": each.outcome, "why": each.why,
            "task_id": made.get((plan.row.id, each.slot.name)),
        }
        for plan in plans
        for each in plan.decisions
    ]  # fmt: skip
    if fires:
        session.execute(_insert_fires(), {"given": packed(fires)})
    session.execute(_move_on(), {"given": packed(_next_of(plan, at) for plan in plans)})


def _next_of(plan: Plan, at: datetime) -> dict[str, Any]:
    row, last = plan.row, plan.due.slots[-1]
    outcome = plan.decisions[-1].outcome if plan.decisions else row.last_outcome
    found = {
        "id": row.id, "last_slot": last.name, "last_at": last.at, "last_outcome": outcome, "broken": plan.broken,
        "at": at, **placed(row.id, plan.due.following, row.jitter_s),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


@per_database
def _insert_fires() -> Any:
    v = given(
        {
            "schedule_id": BigInteger(), "slot": String(), "at": WHEN, "fired_at": WHEN, "late_s": Float(),
            "cause": String(), "outcome": String(), "why": String(), "task_id": BigInteger(),
        }
    )  # fmt: skip
    return insert(tables.fires).from_select([c.name for c in v.c], select(*v.c), include_defaults=False)


@per_database
def _move_on() -> Any:
    v = given(
        {
            "id": BigInteger(), "next_slot": String(), "next_at": WHEN, "due_at": WHEN, "last_slot": String(),
            "last_at": WHEN, "last_outcome": String(), "broken": String(), "at": WHEN,
        }
    ).c  # fmt: skip
    works = v.broken.is_(None)
    return (
        update(tables.schedules)
        .where(_s.id == v.id)
        .values(
            next_slot=v.next_slot, next_at=v.next_at, due_at=v.due_at, last_slot=v.last_slot, last_at=v.last_at,
            last_outcome=v.last_outcome, enabled=case((works, _s.enabled), else_=literal(False, Boolean())),
            disabled_at=case((works, _s.disabled_at), else_=v.at),
            disabled_by=case((works, _s.disabled_by), else_=literal("system")),
            disabled_reason=func.coalesce(v.broken, _s.disabled_reason),
        )
    )  # fmt: skip


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
