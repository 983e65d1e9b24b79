"""The tasks table is the queue. Narrow on purpose: what is large lives in `task_bodies` and `task_search`.

Foreign keys are left out of the hot tables: they would be checked on every insert, and `services.retention` deletes
a task with all that belongs to it.
"""

from datetime import datetime
from typing import Any

from pydantic import PrivateAttr
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.base import Id, Json, now, words
from models.status import FINISHED, Move, OnParentFailure, Status

# What a query must say, to the letter, so that SQLite finds the partial index of that name.
IN_LINE = "status = 'queued' AND NOT parked"
PARKED = "status = 'queued' AND parked"
DUE = "status = 'pending' AND waits_on = 0 AND held_reason IS NULL"
HELD = "status = 'pending' AND held_reason IS NOT NULL"
RUNNING = "status = 'running'"
RUNNING_WITH_KEY = "status = 'running' AND concurrency_key IS NOT NULL"
LIVE_WITH_KEY = "unique_key IS NOT NULL AND status IN ('pending', 'queued', 'running')"
MAY_EXPIRE = "expires_at IS NOT NULL AND status IN ('pending', 'queued')"
LIVE_OF_SCHEDULE = "schedule_id IS NOT NULL AND finished_at IS NULL"
BROKEN = "status IN ('failed', 'cancelled')"
ASKED_OF_BROKEN = "type", "queue", "deleted_at", "finished_at"  # known from the index, without looking at their rows
ASKED_FOR = "created_by_kind = 'operator' AND finished_at IS NOT NULL"


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some rows only, the same on both databases."""
    terms = [text(c) if " " in c else c for c in columns]
    return Index(name, *terms, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Task(SQLModel, table=True):
    """A durable unit of work: one call of a task type, from `enqueue` to its one ending."""

    __tablename__ = "tasks"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    type: str = Field(max_length=100)
    type_version: int = 1
    title: str = Field(default="", max_length=200)
    queue: str = Field(default="default", max_length=64)
    priority: int = 50
    status: Status = Field(default=Status.pending, sa_type=words(Status))

    epoch: int = 0  # fencing token: +1 at every claim, never lowered
    tries: int = 0  # attempts that ended in an error since the last rerun
    max_tries: int = 1
    losses: int = 0  # workers that died under its started body
    waits_on: int = 0  # parents that have not ended
    on_parent_failure: OnParentFailure = Field(default=OnParentFailure.cancel, sa_type=words(OnParentFailure))
    held_reason: str | None = Field(default=None, max_length=500)
    parked: bool = False  # kept out of the line: its concurrency key has no room

    project: str | None = Field(default=None, max_length=100)
    owner: int | None = Field(default=None, sa_type=Id)
    created_by_kind: str = Field(default="api", max_length=20)  # operator, schedule, task, api
    created_by_id: str | None = Field(default=None, max_length=100)
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    unique_key: str | None = Field(default=None, max_length=200)
    concurrency_key: str | None = Field(default=None, max_length=200)
    schedule_id: int | None = Field(default=None, sa_type=Id)
    slot: str | None = Field(default=None, max_length=40)
    parent_id: int | None = Field(default=None, sa_type=Id)  # the task whose body enqueued this one
    root_id: int | None = Field(default=None, sa_type=Id)  # the first task of the chain; correlates them all
    rerun_of: int | None = Field(default=None, sa_type=Id)

    run_at: datetime = Field(default_factory=now)
    expires_at: datetime | None = None
    timeout_s: float | None = None
    estimated_duration_s: float | None = None

    worker: str | None = Field(default=None, max_length=100)
    lease_until: datetime | None = None
    cancel_requested_at: datetime | None = None
    cancel_requested_by: str | None = Field(default=None, max_length=120)
    cancel_reason: str | None = Field(default=None, max_length=500)
    cancel_seen_at: datetime | None = None

    progress_done: float | None = None
    progress_total: float | None = None
    progress_percent: float | None = None
    progress_note: str | None = Field(default=None, max_length=500)
    progress_step: str | None = Field(default=None, max_length=100)
    progress_at: datetime | None = None

    error_class: str | None = Field(default=None, max_length=200)
    fingerprint: str | None = Field(default=None, max_length=40)

    created_at: datetime = Field(default_factory=now)
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime = Field(default_factory=now)
    deleted_at: datetime | None = None

    _deduplicated: bool = PrivateAttr(False)

    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')", name="status"
        ),
        CheckConstraint("priority BETWEEN 1 AND 100", name="priority"),
        CheckConstraint(
            "epoch >= 0 AND tries >= 0 AND losses >= 0 AND waits_on >= 0 AND max_tries >= 1", name="counters"
        ),
        CheckConstraint(
            "(status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)", name="finished"
        ),
        CheckConstraint("(status = 'running') = (lease_until IS NOT NULL AND worker IS NOT NULL)", name="leased"),
        CheckConstraint("status NOT IN ('queued', 'running') OR waits_on = 0", name="waits"),
        partial("ix_tasks_line", "queue", "priority DESC", "id", where=IN_LINE),
        partial("ix_tasks_parked", "concurrency_key", "priority DESC", "id", where=PARKED),
        partial("ix_tasks_due", "run_at", where=DUE),
        partial("ix_tasks_held", "updated_at", where=HELD),
        partial("ix_tasks_lease", "lease_until", where=RUNNING),  # serves every question about what runs: it is short
        partial("ix_tasks_key_running", "concurrency_key", where=RUNNING_WITH_KEY),
        partial("ux_tasks_live", "type", "unique_key", where=LIVE_WITH_KEY, unique=True),
        partial("ix_tasks_expires", "expires_at", where=MAY_EXPIRE),
        partial("ix_tasks_broken", "status", "id", *ASKED_OF_BROKEN, where=BROKEN),
        partial("ix_tasks_finished", "finished_at", where="finished_at IS NOT NULL"),
        partial("ix_tasks_fingerprint", "fingerprint", "id", where="fingerprint IS NOT NULL"),
        partial("ix_tasks_schedule", "schedule_id", "id", where="schedule_id IS NOT NULL"),
        partial("ix_tasks_schedule_live", "schedule_id", "id", where=LIVE_OF_SCHEDULE),
        partial("ix_tasks_parent", "parent_id", "id", where="parent_id IS NOT NULL"),
        partial("ix_tasks_owner", "owner", "id", where="owner IS NOT NULL"),
        partial("ix_tasks_inbox", "owner", "finished_at", "id", where=ASKED_FOR),
        Index("ix_tasks_type", "type", "id"),
        {"sqlite_autoincrement": True},  # ids only ever grow, also after the newest row was deleted
    )

    @property
    def finished(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status in FINISHED

    @property
    def deduplicated(self) -> bool:
        """Whether `enqueue` found this live task instead of making a new one."""
        return (self.__pydantic_private__ or self.__dict__).get("_deduplicated", False)  # a row that was read has none

    @property
    def body(self) -> "TaskBody":
        """Its payload, context, result and error, read now."""
        from models.db import reading

        with reading() as session:
            return session.get(TaskBody, self.id, populate_existing=True) or TaskBody(task_id=self.id or 0)

    @property
    def result(self) -> Any:
        """What it returned; None before it completed."""
        return self.body.result

    @property
    def error(self) -> str | None:
        """The last error in words; None where there was none."""
        return self.body.error_text

    @property
    def actual_duration_s(self) -> float | None:
        """Seconds from the start of the last attempt's body to the end; None before that."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def may(self, *moves: Move) -> bool:
        """Whether one of these moves is open to the task as it stands: what a button asks before it is live."""
        return any(self.status in move.sources for move in moves)

    @property
    def waiting_for(self) -> str | None:
        """In words, what a task that has not started waits for; None once it runs or has ended."""
        from models.waiting import reason  # it asks the database, which the bare row does not

        return reason(self)


class TaskBody(SQLModel, table=True):
    """What goes into a task and what came out."""

    __tablename__ = "task_bodies"

    task_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    payload: dict = Field(default_factory=dict, sa_type=Json)
    context: dict | None = Field(default=None, sa_type=Json)  # the requester's own: return_path, form state, …
    result: Any = Field(default=None, sa_type=Json, nullable=True)
    result_bytes: int | None = None
    error_text: str | None = None


class TaskNeed(SQLModel, table=True):
    """`child` starts when `parent` has ended. Settled once, by the parent's own ending."""

    __tablename__ = "task_needs"

    child: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    parent: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    settled_at: datetime | None = None

    __table_args__ = (
        CheckConstraint("child <> parent", name="not_itself"),
        partial("ix_task_needs_open", "parent", where="settled_at IS NULL"),
        Index("ix_task_needs_parent", "parent"),
    )


class Unsettled(SQLModel, table=True):
    """Parents whose ending has not reached all their children yet: work for `lifecycle.settle_rest`."""

    __tablename__ = "unsettled"

    parent: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    since: datetime = Field(default_factory=now)


class TaskSearch(SQLModel, table=True):
    """The words of a task, lower case, for text search; filled by a loop, not at enqueue."""

    __tablename__ = "task_search"

    task_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    words: str
    as_of: datetime
