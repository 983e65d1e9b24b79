"""How far the text index is, and the indexes that only looking for tasks needs. All of them cover few rows."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from models.base import Id
from models.task import BROKEN, Task

UNFINISHED = "finished_at IS NULL"
TAGGED = "tags <> '[]'"
FAILED = "status = 'failed'"
HIDDEN = "deleted_at IS NOT NULL"
NOT_BY_CODE = "created_by_kind <> 'api'"

__all__ = ["BROKEN", "FAILED", "HIDDEN", "NOT_BY_CODE", "TAGGED", "UNFINISHED", "SearchMark"]


class SearchMark(SQLModel, table=True):
    """One row: which tasks `services.indexing` has seen.

    On PostgreSQL ids become visible out of order, so those up to `newest` are looked through once more when every
    transaction that was open at that time has ended.
    """

    __tablename__ = "search_mark"

    id: int = Field(default=1, primary_key=True)
    newest: int = Field(default=0, sa_type=Id)  # the highest id that was indexed
    settled: int = Field(default=0, sa_type=Id)  # nothing up to here can still turn up
    look_until: int | None = Field(default=None, sa_type=Id)  # to be looked through once more, from `settled` on …
    look_xid: int | None = Field(default=None, sa_type=Id)  # … when no transaction older than this is open
    failed_at: datetime | None = None  # failures before this have their errors in the index


def _some(name: str, *columns: str, where: str) -> Index:
    c = Task.__table__.c  # type: ignore[attr-defined]
    return Index(name, *(c[column] for column in columns), sqlite_where=text(where), postgresql_where=text(where))


_some("ix_tasks_unfinished", "id", where=UNFINISHED)
_some("ix_tasks_failed", "finished_at", where=FAILED)
_some("ix_tasks_error_class", "error_class", "id", where="error_class IS NOT NULL")
_some("ix_tasks_root", "root_id", "id", where="root_id IS NOT NULL")
_some("ix_tasks_tagged", "id", where=TAGGED)
_some("ix_tasks_hidden", "id", where=HIDDEN)
_some("ix_tasks_made_by", "created_by_kind", "id", where=NOT_BY_CODE)
