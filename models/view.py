"""Views that people saved: a name for a set of filters."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import Id, Json, now


class SavedView(SQLModel, table=True):
    """Filters of the Tasks page under a name: its owner's alone, or shared with everybody."""

    __tablename__ = "saved_views"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    owner: int | None = Field(default=None, sa_type=Id)  # operator id; None: saved by code, shared with all
    name: str = Field(max_length=60)
    shared: bool = False
    query: dict[str, Any] = Field(default_factory=dict, sa_type=Json)  # as the page's address says it
    created_at: datetime = Field(default_factory=now)
    updated_at: datetime = Field(default_factory=now)

    __table_args__ = (
        Index("ux_saved_views_owner", "owner", "name", unique=True),
        {"sqlite_autoincrement": True},
    )
