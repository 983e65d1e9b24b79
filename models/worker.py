"""Processes that beat: workers and schedulers."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import Id, Json, now


class Worker(SQLModel, table=True):
    """One process of one incarnation: a restarted process is a new row."""

    __tablename__ = "workers"

    name: str = Field(primary_key=True, max_length=100)
    kind: str = Field(default="worker", max_length=20)  # worker, scheduler
    host: str = Field(max_length=100)
    pid: int
    boot_id: str = Field(max_length=40)  # of the machine: a pid means nothing after a reboot
    code_version: str = Field(default="unknown", max_length=100)
    queues: list[str] | None = Field(default=None, sa_type=Json)  # None: every queue
    types: list[str] = Field(default_factory=list, sa_type=Json)
    threads: int = 1
    busy: int = 0
    rss: int | None = Field(default=None, sa_type=Id)  # bytes
    started_at: datetime = Field(default_factory=now)
    last_beat_at: datetime = Field(default_factory=now)
    draining_at: datetime | None = None
    stop_requested_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_reason: str | None = Field(default=None, max_length=200)

    __table_args__ = (Index("ix_workers_beat", "last_beat_at"),)
