"""What became of due slots, written down for many schedules in two statements: their rows, and what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, String, case, func, insert, literal, select, update
from sqlmodel import Session

from models import Cause, tables
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.schedules.due import Decision, Due
from services.schedules.keeping import placed
from services.schedules.launching import Launch

_s = tables.schedules.c


@dataclass(slots=True)
class Plan:
    """What is to become of one schedule's due slots."""

    row: Any
    due: Due
    decisions: list[Decision] = field(default_factory=list)
    launches: list[Launch] = field(default_factory=list)
    broken: str | None = None  # why it can fire no more


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
