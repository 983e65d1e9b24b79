"""Task types as the workers declare them: the console draws forms from these rows without importing an actor."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from models.base import Json, now


class TypeRow(SQLModel, table=True):
    """One task type: its contract as JSON Schema, its defaults, its words."""

    __tablename__ = "types"

    name: str = Field(primary_key=True, max_length=100)
    version: int = 1
    queue: str = Field(default="default", max_length=64)
    payload_schema: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    defaults: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # retries, timeout_s, isolated, …
    doc: str = ""
    seen_at: datetime = Field(default_factory=now)
