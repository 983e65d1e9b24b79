"""Recurring work: schedules, and what became of each of their slots.

A fire's key is (schedule, slot): however many schedulers there are, whatever the clock does, a slot is accounted for
once. A slot's name is its UTC minute (`2026-11-01T05:30Z`), or, where the rule speaks of hours of the day, the time on
the wall (`2026-11-01T01:30`), which a day of 25 hours has but once.
"""

from datetime import datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from models.base import Id, Json, now, words
from models.task import partial

# What a query must say, to the letter, so that SQLite finds the partial index of that name.
DUE_AT = "due_at IS NOT NULL"
NOT_DELETED = "deleted_at IS NULL"
FOLLOWED = "task_id IS NOT NULL AND ended_at IS NULL"


@unique
class Overlap(StrEnum):
    """What a fire does while an earlier run has not ended."""

    skip = "skip"
    queue_one = "queue_one"  # it waits behind that run; further ones are skipped
    cancel_previous = "cancel_previous"
    allow = "allow"


@unique
class Missed(StrEnum):
    """What becomes of slots that passed while no scheduler was alive."""

    skip = "skip"
    once = "once"  # the newest, if it is not older than the window
    all = "all"  # one after another, the newest hundred


@unique
class FireOutcome(StrEnum):
    """What became of a slot."""

    ran = "ran"  # a task was enqueued
    skipped = "skipped"  # on purpose: overlap, paused, outside the window
    missed = "missed"  # no scheduler was alive
    deduplicated = "deduplicated"  # a live task with the schedule's unique key was there
    failed = "failed"  # it could not be enqueued


@unique
class Cause(StrEnum):
    """Who had a slot fire."""

    automatic = "automatic"
    manual = "manual"
    backfill = "backfill"


class Schedule(SQLModel, table=True):
    """When to enqueue which task, and what to do where that meets an obstacle."""

    __tablename__ = "schedules"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=1000)
    project: str | None = Field(default=None, max_length=100)
    owner: int | None = Field(default=None, sa_type=Id)

    type: str = Field(max_length=100)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # a template: `services.schedules.template`
    queue: str | None = Field(default=None, max_length=64)  # None: the type's
    priority: int = 50
    retries: int = 3
    timeout_s: float = 300.0
    tags: list[str] = Field(default_factory=list, sa_type=Json)
    unique_key: str | None = Field(default=None, max_length=200)

    cron: str | None = Field(default=None, max_length=200)  # either this, or every_s from anchor_at on
    every_s: int | None = None
    anchor_at: datetime | None = None
    zone: str = Field(default="UTC", max_length=64)
    start_at: datetime | None = None
    end_at: datetime | None = None
    jitter_s: int = 0

    overlap: Overlap = Field(default=Overlap.skip, sa_type=words(Overlap))
    missed: Missed = Field(default=Missed.once, sa_type=words(Missed))
    missed_window_s: int = 86_400
    pause_after: int | None = None  # failures in a row
    keep_runs: int = 20

    enabled: bool = True
    disabled_at: datetime | None = None
    disabled_by: str | None = Field(default=None, max_length=120)
    disabled_reason: str | None = Field(default=None, max_length=500)

    next_slot: str | None = Field(default=None, max_length=40)
    next_at: datetime | None = None  # the slot's own time
    due_at: datetime | None = None  # with its jitter: when it fires
    last_slot: str | None = Field(default=None, max_length=40)
    last_at: datetime | None = None  # no slot up to here fires by itself any more
    last_outcome: FireOutcome | None = Field(default=None, sa_type=words(FireOutcome))

    completed: int = 0  # runs, since it was made
    failed: int = 0
    run_s: float = 0.0  # of the completed ones together
    failures_in_row: int = 0
    last_completed_at: datetime | None = None
    last_status: str | None = Field(default=None, max_length=20)  # of the run that ended last

    version: int = 1  # +1 at every change by a person: what `update` compares
    declared: dict[str, Any] | None = Field(default=None, sa_type=Json)  # as code declared it last: see `ensure`
    created_at: datetime = Field(default_factory=now)
    created_by: str = Field(default="api", max_length=120)
    updated_at: datetime = Field(default_factory=now)
    updated_by: str = Field(default="api", max_length=120)
    deleted_at: datetime | None = None

    __table_args__ = (
        CheckConstraint(
            "(cron IS NOT NULL AND every_s IS NULL AND anchor_at IS NULL)"
            " OR (cron IS NULL AND every_s >= 60 AND anchor_at IS NOT NULL)",
            name="rule",
        ),
        CheckConstraint("priority BETWEEN 1 AND 100", name="priority"),
        CheckConstraint("overlap IN ('skip', 'queue_one', 'cancel_previous', 'allow')", name="overlap"),
        CheckConstraint("missed IN ('skip', 'once', 'all')", name="missed"),
        CheckConstraint(
            "retries >= 0 AND timeout_s > 0 AND jitter_s >= 0 AND missed_window_s >= 0 AND keep_runs >= 1"
            " AND (pause_after IS NULL OR pause_after >= 1) AND version >= 1",
            name="numbers",
        ),
        CheckConstraint("end_at IS NULL OR start_at IS NULL OR end_at > start_at", name="start_and_end"),
        CheckConstraint("(due_at IS NULL) = (next_slot IS NULL) AND (due_at IS NULL) = (next_at IS NULL)", name="next"),
        CheckConstraint("due_at IS NULL OR (enabled AND deleted_at IS NULL)", name="due"),
        partial("ux_schedules_name", "name", where=NOT_DELETED, unique=True),
        partial("ix_schedules_due", "due_at", "id", where=DUE_AT),
        {"sqlite_autoincrement": True},
    )

    @property
    def success_rate(self) -> float | None:
        """Share of the runs that completed, of those that completed or failed; None before the first."""
        ended = self.completed + self.failed
        return self.completed / ended if ended else None

    @property
    def average_run_s(self) -> float | None:
        """Seconds a completed run took; None before the first."""
        return self.run_s / self.completed if self.completed else None


class Fire(SQLModel, table=True):
    """What became of one slot, and later how its run ended."""

    __tablename__ = "fires"

    schedule_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    slot: str = Field(primary_key=True, max_length=40)
    at: datetime  # the slot's own time
    fired_at: datetime = Field(default_factory=now)
    late_s: float = 0.0  # after its time and its jitter
    cause: Cause = Field(default=Cause.automatic, sa_type=words(Cause))
    outcome: FireOutcome = Field(sa_type=words(FireOutcome))
    why: str | None = Field(default=None, max_length=500)
    task_id: int | None = Field(default=None, sa_type=Id)
    task_status: str | None = Field(default=None, max_length=20)  # how its run ended; outlives the task
    ended_at: datetime | None = None
    run_s: float | None = None

    __table_args__ = (
        CheckConstraint("outcome IN ('ran', 'skipped', 'missed', 'deduplicated', 'failed')", name="outcome"),
        CheckConstraint("cause IN ('automatic', 'manual', 'backfill')", name="cause"),
        CheckConstraint("(outcome IN ('ran', 'deduplicated')) = (task_id IS NOT NULL)", name="task"),
        Index("ix_fires_history", "schedule_id", "at", "slot"),
        Index("ix_fires_at", "at", "schedule_id", "slot"),
        partial("ix_fires_followed", "task_id", where=FOLLOWED),
        partial("ix_fires_task", "task_id", where="task_id IS NOT NULL"),
    )
