"""Files that tasks make, or that people hand to them. Write-once: never changed, only deleted."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import Id, now


class Artifact(SQLModel, table=True):
    """A stored file; those of a task show once their attempt has completed."""

    __tablename__ = "artifacts"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    task_id: int | None = Field(default=None, sa_type=Id)  # None: handed in by a person
    epoch: int | None = None
    name: str = Field(max_length=255)
    media_type: str = Field(max_length=255)
    size: int = Field(sa_type=Id)  # bytes
    sha256: str = Field(max_length=64)
    uri: str = Field(max_length=500)  # the key in the artifact store, never a path of the display name
    owner: int | None = Field(default=None, sa_type=Id)
    created_at: datetime = Field(default_factory=now)

    __table_args__ = (Index("ix_artifacts_task", "task_id", "epoch"), {"sqlite_autoincrement": True})

    @property
    def url(self) -> str:
        """Where the console serves it."""
        return f"/api/artifacts/{self.id}"
