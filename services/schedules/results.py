"""What runs came to: the beginning of their output, the tasks they made; and the latest fires of many schedules."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, func, select, union_all
from sqlmodel import Session

from models import FireOutcome, Role, Status, reading, tables
from services import audit, checks
from services.errors import NotFound

BEGINNING = 500  # characters of an output that are shown at once
MOST_MADE = 5
MOST_TASKS = 200
_f, _t, _b = tables.fires.c, tables.tasks.c, tables.task_bodies.c
_TOLD = func.coalesce(func.nullif(cast(_b.result, String), "null"), _b.error_text)


@dataclass(frozen=True, slots=True)
class Output:
    """What one run left."""

    text: str | None  # the beginning of its result as JSON, else of its error; None: nothing
    cut: bool
    made: list[tuple[int, str]]  # the first tasks that its body made: id, type
    more: bool  # it made others besides


@dataclass(frozen=True, slots=True)
class Latest:
    """One fire as a strip shows it."""

    slot: str
    at: datetime
    outcome: FireOutcome
    status: Status | None
    task_id: int | None
    why: str | None


def outputs(task_ids: Collection[int]) -> dict[int, Output]:
    """Of each of these tasks, what it left; without those that are gone."""
    ids = checks.some(sorted(set(task_ids)), "task_ids", MOST_TASKS)
    if not ids:
        return {}
    wanted = select(_b.task_id, func.substr(_TOLD, 1, BEGINNING + 1)).where(_b.task_id.in_(ids))
    made = union_all(
        *(
            select(
                select(_t.parent_id, _t.id, _t.type).where(_t.parent_id == each).order_by(_t.id).limit(MOST_MADE + 1)
                .subquery()
            )
            for each in ids
        )
    )  # fmt: skip
    children = defaultdict(list)
    with reading() as session:
        for parent, child, kind in session.execute(made):
            children[parent].append((child, kind))
        return {
            task_id: Output(
                words[:BEGINNING] if words else None, len(words or "") > BEGINNING,
                sorted(children[task_id])[:MOST_MADE], len(children[task_id]) > MOST_MADE,
            )
            for task_id, words in session.execute(wanted)
        }  # fmt: skip


def output(task_id: int) -> str:
    """All of what one run left, of which `Output.text` is the beginning. Raises `NotFound` where it left nothing."""
    checks.whole(task_id, "task", 1, 2**53)
    audit.require(Role.viewer)
    with reading() as session:
        found = session.execute(select(_TOLD).where(_b.task_id == task_id)).scalar_one_or_none()
    if not found:
        raise NotFound(f"task #{task_id} has left nothing")
    return found


def latest(schedule_ids: Collection[int], most: int = 10) -> dict[int, list[Latest]]:
    """The latest fires of each schedule, oldest first: a few entries of the index for each, whatever came before."""
    ids = checks.some(sorted(set(schedule_ids)), "schedule_ids", MOST_TASKS)
    checks.whole(most, "most", 1, 100)
    if not ids:
        return {}
    columns = (_f.schedule_id, _f.slot, _f.at, _f.outcome, _f.why, _f.task_id, _f.task_status)
    # One after another, each by its part of `ix_fires_history`: joined, PostgreSQL would rather read all fires there
    # are; and told of one number instead of a range, it would go back in time through the fires of all schedules
    newest = (_f.schedule_id.desc(), _f.at.desc(), _f.slot.desc())
    fires = union_all(
        *(
            select(
                select(*columns).where(_f.schedule_id.between(each, each)).order_by(*newest).limit(most).subquery()
            )
            for each in ids
        )
    )  # fmt: skip
    found: dict[int, list[Latest]] = {each: [] for each in ids}
    with reading() as session:
        rows = session.execute(fires).all()
        statuses = _statuses(session, {row.task_id for row in rows if row.task_id is not None})
    for row in sorted(rows, key=lambda row: (row.at, row.slot)):
        status = statuses.get(row.task_id) or (None if row.task_status is None else Status(row.task_status))
        found[row.schedule_id].append(Latest(row.slot, row.at, row.outcome, status, row.task_id, row.why))
    return found


def _statuses(session: Session, task_ids: Collection[int]) -> dict[int, Status]:
    wanted = select(_t.id, _t.status).where(_t.id.in_(sorted(task_ids)))
    return {row.id: row.status for row in session.execute(wanted)}
