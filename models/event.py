"""The audit trail: acts of persons, and rescue, fence, force and repair. Append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import Id, Json, now


class Event(SQLModel, table=True):
    """Who did what to which thing, with what it was before and after."""

    __tablename__ = "events"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    at: datetime = Field(default_factory=now)
    actor_kind: str = Field(max_length=20)  # operator, api, task, schedule, system
    actor_id: str | None = Field(default=None, max_length=100)
    verb: str = Field(max_length=40)
    entity: str = Field(max_length=40)
    entity_id: str | None = Field(default=None, max_length=100)
    before: dict[str, Any] | None = Field(default=None, sa_type=Json)
    after: dict[str, Any] | None = Field(default=None, sa_type=Json)
    reason: str | None = Field(default=None, max_length=500)
    ip: str | None = Field(default=None, max_length=45)
    user_agent: str | None = Field(default=None, max_length=300)
    request_id: str | None = Field(default=None, max_length=64)

    __table_args__ = (
        Index("ix_events_entity", "entity", "entity_id", "id"),
        Index("ix_events_at", "at"),
        {"sqlite_autoincrement": True},
    )
