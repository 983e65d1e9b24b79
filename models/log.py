"""What a body said while it ran."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import Id, Json


class TaskLog(SQLModel, table=True):
    """One line of a task's log; `seq` counts within an attempt."""

    __tablename__ = "task_logs"

    task_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    epoch: int = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    at: datetime
    level: str = Field(default="info", max_length=10)
    message: str
    fields: dict[str, Any] | None = Field(default=None, sa_type=Json)

    __table_args__ = (CheckConstraint("level IN ('debug', 'info', 'warning', 'error')", name="level"),)
