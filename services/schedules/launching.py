"""Tasks for slots: thousands in a few statements where nothing is special about them, one by one where it is."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, String, func, update
from sqlmodel import Session

from models import FireOutcome, Task, tables
from services import audit, catalog, estimates
from services.enqueueing import put
from services.errors import NotFound, ServiceError
from services.lifecycle import create
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.options import Options
from services.schedules import template, zones
from services.schedules.due import Decision
from services.schedules.runs import cancel

_t = tables.tasks.c


class Types:
    """The task types that one batch asks for, each looked up once: also those that there are not."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        """The type. Raises `NotFound`."""
        if name not in self._found:
            try:
                self._found[name] = catalog.find(name)
            except NotFound as error:
                self._found[name] = error
        if isinstance(self._found[name], NotFound):
            raise self._found[name]
        return self._found[name]


@dataclass(slots=True)
class Launch:
    """One slot that is to become a task, and then that task."""

    row: Any  # the schedule's
    decision: Decision
    payload: dict[str, Any] = field(default_factory=dict)
    task_type: Any = None
    task_id: int | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing about it needs a look at other tasks."""
        return not (self.decision.behind or self.decision.cancels or self.row.unique_key)

    def make_ready(self, types: "Types") -> bool:
        """Fill the template and check it; where it does not fit, the slot says why."""
        slot = self.decision.slot
        try:
            self.task_type = types.find(self.row.type)
            self.payload = payload_for(self.task_type, self.row, slot.at)
        except ServiceError as error:
            self.decision.drop(FireOutcome.failed, str(error)[:500])
            return False
        return True


def payload_for(task_type: Any, row: Any, at: datetime) -> dict[str, Any]:
    """The payload of a slot. Raises `InvalidInput` where the type no longer takes it."""
    if template.has_places(row.payload):
        filled = template.rendered(row.payload, at.astimezone(zones.zone(row.zone)), row.last_completed_at)
        return task_type.payload(filled)
    return _fitting(task_type.name, json.dumps(row.payload), _Held(task_type))


class _Held:
    """A type as part of a cache's key: another one of the same name is another one."""

    def __init__(self, task_type: Any) -> None:
        self.task_type = task_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.task_type == other.task_type

    def __hash__(self) -> int:
        return hash(self.task_type.name)


@lru_cache(20_000)
def _fitting(_name: str, payload: str, held: _Held) -> dict[str, Any]:
    """Checked once for each version of the type: most schedules say the same each time."""
    return held.task_type.payload(json.loads(payload))


def launch_many(session: Session, launches: Iterable[Launch]) -> None:
    """Enqueue launches that are plain, in a few statements a kind of task."""
    groups: dict[Any, list[Launch]] = defaultdict(list)
    for each in launches:
        groups[_kind(each)].append(each)
    made: list[Launch] = []
    for group in groups.values():
        common = {**_common(group[0]), "waits_on": 0}
        ids = create.create(session, common, [{"payload": each.payload} for each in group])
        for each, task_id in zip(group, ids, strict=True):
            each.task_id = task_id
        made += group
    name_tasks(session, made)


def name_tasks(session: Session, launches: Iterable[Launch], run_at: dict[str, datetime] | None = None) -> None:
    """Tell tasks which slot of which schedule they are."""
    rows = [
        {
            "id": each.task_id, "schedule_id": each.row.id, "slot": each.decision.slot.name, "title": each.row.name,
            "by": str(each.row.id), "run_at": (run_at or {}).get(each.decision.slot.name),
        }
        for each in launches
    ]  # fmt: skip
    if rows:
        session.execute(_name(), {"given": packed(rows)})


@per_database
def _name() -> Any:
    v = given(
        {
            "id": BigInteger(), "schedule_id": BigInteger(), "slot": String(), "title": String(), "by": String(),
            "run_at": WHEN,
        }
    ).c  # fmt: skip
    return (
        update(tables.tasks)
        .where(_t.id == v.id)
        .values(
            schedule_id=v.schedule_id, slot=v.slot, title=v.title, created_by_id=v.by,
            run_at=func.coalesce(v.run_at, _t.run_at),
        )
    )  # fmt: skip


def _kind(launch: Launch) -> Any:
    row = launch.row
    return (
        row.type, row.queue, row.priority, row.retries, row.timeout_s, tuple(row.tags), row.project, row.owner
    )  # fmt: skip


def _common(launch: Launch) -> dict[str, Any]:
    return common_of(launch.task_type, launch.row)


def common_of(task_type: Any, row: Any) -> dict[str, Any]:
    """The columns that all tasks of such a schedule share."""
    return {
        **options_of(row).columns(task_type), "created_by_kind": "schedule", "created_by_id": None, "owner": row.owner,
        "estimated_duration_s": estimates.estimate_s(task_type.name, task_type.estimate_s),
    }  # fmt: skip


def options_of(row: Any, **more: Any) -> Options:
    """What a schedule says of its tasks."""
    return Options(
        queue=row.queue, priority=row.priority, retries=row.retries, timeout=row.timeout_s, tags=list(row.tags),
        project=row.project, **more,
    )  # fmt: skip


def launch_one(session: Session, launch: Launch, live: list[int], actor: audit.Actor | None = None) -> Task:
    """Enqueue a launch that waits for earlier runs, replaces them, or has a unique key; brings `live` up to date."""
    row, decision = launch.row, launch.decision
    with audit.acting(actor or audit.Actor("schedule", str(row.id), row.owner)):
        if decision.cancels:
            asked = cancel(session, live, f"the next fire of its schedule {row.name}", "the next fire was due")
            live[:] = [task.id for task in asked if not task.finished]
        options = options_of(
            row, schedule_id=row.id, slot=decision.slot.name, title=row.name, unique_key=row.unique_key,
            needs=live if decision.behind else (), on_parent_failure="run_anyway",
        )  # fmt: skip
        task = put(launch.task_type, launch.payload, options)
    launch.task_id = task.id
    if task.deduplicated:
        decision.outcome, decision.why = FireOutcome.deduplicated, f"#{task.id} has its unique key and has not ended"
    else:  # who waits for this one waits for those it waits for
        live[:] = [task.id] if decision.behind else [*live, task.id]
    return task


def register_queues(session: Session, launches: Iterable[Launch]) -> None:
    """Give the queues their rows, outside of what may be rolled back."""
    for name in sorted({each.row.queue or each.task_type.queue for each in launches}):
        create.register_queue(session, name)
