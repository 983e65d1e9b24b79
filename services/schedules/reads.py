"""Looking at schedules: one, a page of them, what became of their slots, what comes next. Nothing counts history."""

import heapq
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import literal, select, text, tuple_

from models import Cause, FireOutcome, Schedule, Status, now, reading, tables
from models.schedule import DUE_AT, NOT_DELETED
from services import checks
from services.errors import InvalidInput, NotFound
from services.schedules import spec
from services.schedules.rule import Rule, Slot
from services.schedules.runs import live_of

LATE_AFTER = timedelta(minutes=1)
PAGE = 100
_s, _f, _t = tables.schedules.c, tables.fires.c, tables.tasks.c


@dataclass(frozen=True, slots=True)
class FireView:
    """What became of one slot, and how its run stands now."""

    schedule_id: int
    schedule: str
    slot: str
    at: datetime
    fired_at: datetime
    late_s: float
    cause: Cause
    outcome: FireOutcome
    why: str | None
    task_id: int | None
    status: Status | None  # of its task; as it ended, where the task was deleted since
    ended_at: datetime | None
    run_s: float | None

    @property
    def key(self) -> tuple[datetime, int, str]:
        """Where the next page begins."""
        return self.at, self.schedule_id, self.slot


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A slot to come."""

    schedule: Schedule
    slot: Slot


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule means: in words, and its next slots."""

    words: str
    slots: list[Slot]


def get(schedule_id: int) -> Schedule:
    """The schedule, also a deleted one. Raises `NotFound`."""
    checks.whole(schedule_id, "id", 1, 2**53)
    with reading() as session:
        row = session.execute(_fresh(select(Schedule).where(_s.id == schedule_id))).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no schedule #{schedule_id}")
    return row


def find(name: str) -> Schedule:
    """The schedule of this name. Raises `NotFound`."""
    checks.name(name, "name", 200)
    with reading() as session:
        row = session.execute(_fresh(select(Schedule).where(_s.name == name, text(NOT_DELETED)))).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no schedule {checks.shortened(name)}")
    return row


def page(*, after: str | None = None, limit: int = PAGE) -> list[Schedule]:
    """Schedules by name, from the one after `after` on."""
    checks.whole(limit, "limit", 1, 10 * PAGE)
    wanted = select(Schedule).where(text(NOT_DELETED))
    if after is not None:
        wanted = wanted.where(_s.name > checks.name(after, "after", 200))
    with reading() as session:
        return list(session.execute(_fresh(wanted.order_by(_s.name).limit(limit))).scalars())


def history(
    schedule_id: int | None = None,
    *,
    after: tuple[datetime, int, str] | None = None,
    outcomes: list[str] | None = None,
    limit: int = PAGE,
) -> list[FireView]:
    """What became of slots, the newest first, of one schedule or of all; from after the `key` of a view on."""
    checks.whole(limit, "limit", 1, 10 * PAGE)
    if schedule_id is not None:
        checks.whole(schedule_id, "id", 1, 2**53)
    # Of one schedule, its number is not among what is sorted by: its own index has no such column at that place
    places = (0, 1, 2) if schedule_id is None else (0, 2)
    columns = [(_f.at, _f.schedule_id, _f.slot)[n] for n in places]
    wanted = (
        select(*tables.fires.c, _s.name.label("schedule"), _t.status.label("now"), _t.finished_at, _t.started_at)
        .join(tables.schedules, _s.id == _f.schedule_id)
        .join(tables.tasks, _t.id == _f.task_id, isouter=True)
        .order_by(*(column.desc() for column in columns))
        .limit(limit)
    )
    if schedule_id is not None:
        wanted = wanted.where(_f.schedule_id == schedule_id)
    if outcomes is not None:
        wanted = wanted.where(_f.outcome.in_([_outcome(each) for each in outcomes]))
    if after is not None:
        if not isinstance(after, tuple) or len(after) != 3 or not isinstance(after[0], datetime):
            raise InvalidInput("after", f"{checks.shortened(after)} is not the key of a fire")
        bounds = (literal(after[n], column.type) for n, column in zip(places, columns, strict=True))
        wanted = wanted.where(tuple_(*columns) < tuple_(*bounds))
    with reading() as session:
        return [_view(row) for row in session.execute(wanted)]


def _outcome(value: Any) -> FireOutcome:
    if value not in [each.value for each in FireOutcome]:
        known = ", ".join(each.value for each in FireOutcome)
        raise InvalidInput("outcomes", f"{checks.shortened(value)} is none of {known}")
    return FireOutcome(value)


def _view(row: Any) -> FireView:
    stored = None if row.task_status is None else Status(row.task_status)
    ran = row.run_s
    if row.started_at is not None and row.finished_at is not None:
        ran = (row.finished_at - row.started_at).total_seconds()
    return FireView(
        row.schedule_id, row.schedule, row.slot, row.at, row.fired_at, row.late_s, row.cause, row.outcome, row.why,
        row.task_id, row.now or stored, row.finished_at if row.now else row.ended_at, ran,
    )  # fmt: skip


def upcoming(limit: int = 50, *, until: datetime | None = None) -> list[Upcoming]:
    """The next slots of all schedules together, the soonest first, at most so many."""
    checks.whole(limit, "limit", 1, 10 * PAGE)
    soonest = _fresh(select(Schedule).where(text(DUE_AT)).order_by(_s.due_at, _s.id).limit(limit))
    with reading() as session:
        rows = {row.id: row for row in session.execute(soonest).scalars()}
    heap = [(row.next_at, row.id, Slot(row.next_slot, row.next_at)) for row in rows.values()]
    heapq.heapify(heap)
    found: list[Upcoming] = []
    while heap and len(found) < limit:
        _, schedule_id, slot = heapq.heappop(heap)
        if until is not None and slot.at > until:
            break
        found.append(Upcoming(rows[schedule_id], slot))
        later = Rule.of(rows[schedule_id]).first(slot)
        if later is not None:
            heapq.heappush(heap, (later.at, schedule_id, later))
    return found


def preview(
    *, cron: str | None = None, every: Any = None, anchor_at: Any = None, zone: str = "UTC", start_at: Any = None,
    end_at: Any = None, limit: int = 10,
) -> Preview:  # fmt: skip
    """What a rule means, before it is saved. Raises `InvalidInput`."""
    checks.whole(limit, "limit", 1, PAGE)
    rule = Rule(**spec.rule_columns(cron, every, anchor_at, zone, start_at, end_at))
    return Preview(rule.in_words(), rule.upcoming(now(), limit))


def will_end(schedule_id: int) -> list[int]:
    """The runs that `delete(cancel_runs=True)` would cancel."""
    with reading() as session:
        return live_of(session, [get(schedule_id).id]).get(schedule_id, [])


def drift(row: Schedule) -> dict[str, tuple[Any, Any]]:
    """Where a schedule differs from what code declared last: field → (declared, as it is)."""
    plain = spec.plain({name: getattr(row, name) for name in row.declared or {}})
    return {name: (said, plain[name]) for name, said in (row.declared or {}).items() if plain[name] != said}


def attention(limit: int = PAGE) -> dict[str, list[Schedule]]:
    """What a person should look at: `late` (due and not fired), `failing`, `paused` after failures, `never` fires."""
    checks.whole(limit, "limit", 1, 10 * PAGE)
    asked = {
        "late": _s.due_at < now() - LATE_AFTER,
        "failing": (_s.failures_in_row > 0) | (_s.last_outcome == FireOutcome.failed),
        "paused": _s.enabled.is_(False) & (_s.disabled_by == "system"),
        "never": _s.enabled.is_(True) & _s.due_at.is_(None),
    }
    with reading() as session:
        return {
            name: list(session.execute(_fresh(_troubled(where).limit(limit))).scalars())
            for name, where in asked.items()
        }


def _troubled(where: Any) -> Any:
    return select(Schedule).where(text(NOT_DELETED), where).order_by(_s.name)


def _fresh(query: Any) -> Any:
    return query.execution_options(populate_existing=True)
