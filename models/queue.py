"""Queues and concurrency keys: what may be paused or limited. A limited one's row is the gate its claims lock."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import now


class Queue(SQLModel, table=True):
    """A line of tasks that can be paused and limited as one."""

    __tablename__ = "queues"

    name: str = Field(primary_key=True, max_length=64)
    paused_at: datetime | None = None
    paused_by: str | None = Field(default=None, max_length=120)
    pause_reason: str | None = Field(default=None, max_length=500)
    max_running: int | None = None  # over all workers; None: no limit
    created_at: datetime = Field(default_factory=now)

    __table_args__ = (CheckConstraint("max_running IS NULL OR max_running >= 1", name="max_running"),)


class KeyLimit(SQLModel, table=True):
    """At most `max_running` running tasks share this concurrency key, over all queues and workers."""

    __tablename__ = "key_limits"

    key: str = Field(primary_key=True, max_length=200)
    max_running: int = 1

    __table_args__ = (CheckConstraint("max_running >= 1", name="max_running"),)
