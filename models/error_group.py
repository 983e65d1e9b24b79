"""Kinds of failure: what fails alike, how often in which hour, and what people decided about it."""

from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.base import Id, now, words
from models.task import Task

FAILED_ALIKE = "status = 'failed' AND fingerprint IS NOT NULL"


@unique
class GroupState(StrEnum):
    """What people decided about a kind of failure."""

    open = "open"
    resolved = "resolved"  # until it fails again
    ignored = "ignored"  # whatever comes


class ErrorGroup(SQLModel, table=True):
    """Failed tasks of one type, error and message (but for its numbers)."""

    __tablename__ = "error_groups"

    fingerprint: str = Field(primary_key=True, max_length=40)
    type: str = Field(max_length=100)
    error_class: str | None = Field(default=None, max_length=200)
    total: int = Field(default=0, sa_type=Id)  # the sum of its counts
    first_at: datetime
    last_at: datetime
    last_task_id: int = Field(sa_type=Id)
    state: GroupState = Field(default=GroupState.open, sa_type=words(GroupState))
    state_by: str | None = Field(default=None, max_length=120)
    state_at: datetime = Field(default_factory=now)
    note: str | None = Field(default=None, max_length=500)

    __table_args__ = (
        CheckConstraint("state IN ('open', 'resolved', 'ignored')", name="state"),
        Index("ix_error_groups_state", "state", "last_at"),
    )


class ErrorCount(SQLModel, table=True):
    """How many tasks were seen failed with one fingerprint in one hour."""

    __tablename__ = "error_counts"

    fingerprint: str = Field(primary_key=True, max_length=40)
    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # hours since 1970
    n: int = Field(default=0, sa_type=Id)

    __table_args__ = (Index("ix_error_counts_hour", "hour"),)


_task = Task.__table__.c  # type: ignore[attr-defined]
Index(
    "ix_tasks_failed_alike", _task.finished_at, _task.fingerprint, _task.id,
    sqlite_where=text(FAILED_ALIKE), postgresql_where=text(FAILED_ALIKE),
)  # fmt: skip
