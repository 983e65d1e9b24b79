"""One row an attempt, written by whoever ends it: its worker, or the rescuer of a dead worker's tasks."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from models.base import Id, words
from models.status import Outcome


class Attempt(SQLModel, table=True):
    """What became of one execution of a task's body, and what it cost."""

    __tablename__ = "attempts"

    task_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    epoch: int = Field(primary_key=True)
    worker: str = Field(max_length=100)
    code_version: str | None = Field(default=None, max_length=100)
    started_at: datetime | None = None  # None: its worker died before anybody was told of the start
    ended_at: datetime
    outcome: Outcome = Field(sa_type=words(Outcome))
    error_class: str | None = Field(default=None, max_length=200)
    error_text: str | None = None
    traceback: str | None = None
    engine: str | None = Field(default=None, max_length=100)
    engine_kind: str | None = Field(default=None, max_length=20)
    model: str | None = Field(default=None, max_length=100)
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    cost_micros: int | None = None  # millionths of the provider's currency
    cpu_s: float | None = None
    peak_rss: int | None = Field(default=None, sa_type=Id)  # bytes; isolated tasks only
    cancel_seen_at: datetime | None = None
    forced: bool = False  # ended against its will: by an exception or with its child process

    __table_args__ = (
        CheckConstraint(
            "outcome IN ('completed', 'failed', 'retried', 'cancelled', 'handed_back', 'lost')",
            name="outcome",
        ),
    )
