"""Counts, folded: nothing ever counts the history.

A measure is either a gauge (`hour` 0: how many tasks stand in a status now) or something that happened in an hour.
Durations are counted in logarithmic buckets. Whoever moves a task inserts deltas in the same transaction; a loop folds
them into `rollups` each second, and readers add both, so the sums are exact at every moment.

What charts draw of attempts is summed once more in `rollup_spans`, as they draw it; how the lines changed in the last
hours, by the minute in `rollup_minutes`. A delta's minute is that of the statement which wrote it down, by the
database's clock, so that whoever moves a task need not know of minutes.
"""

from typing import Any

from sqlalchemy import Index, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import Field, SQLModel

from models.base import Id


class this_minute(FunctionElement):  # noqa: N801 - it reads as SQL's own functions do
    """Minutes since 1970, by the database's clock."""

    type = Integer()
    inherit_cache = True


@compiles(this_minute, "sqlite")
def _of_sqlite(*_: Any, **__: Any) -> str:
    return "unixepoch() / 60"


@compiles(this_minute, "postgresql")
def _of_postgresql(*_: Any, **__: Any) -> str:
    return "(floor(extract(epoch FROM clock_timestamp()) / 60))::integer"


class Rollup(SQLModel, table=True):
    """The folded sum of one measure.

    The gauges `pending`, `queued` and `running` also have rows of real hours, with type "": by how much they changed in
    that hour.
    """

    __tablename__ = "rollups"

    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # hours since 1970; 0 for gauges
    type: str = Field(primary_key=True, max_length=100)
    queue: str = Field(primary_key=True, max_length=64)
    measure: str = Field(primary_key=True, max_length=20)  # a status (gauge), an outcome, `wait` or `run`
    bucket: int = Field(default=0, primary_key=True, sa_column_kwargs={"autoincrement": False})
    n: int = Field(default=0, sa_type=Id)

    __table_args__ = (Index("ix_rollups_measure", "measure", "hour"),)


class RollupMinute(SQLModel, table=True):
    """By how much the gauges `pending`, `queued` and `running` changed in a minute of the last hours, with type ""."""

    __tablename__ = "rollup_minutes"

    measure: str = Field(primary_key=True, max_length=20)
    minute: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # since 1970
    type: str = Field(primary_key=True, max_length=100)
    queue: str = Field(primary_key=True, max_length=64)
    bucket: int = Field(default=0, primary_key=True, sa_column_kwargs={"autoincrement": False})
    n: int = Field(default=0, sa_type=Id)

    __table_args__ = ({"sqlite_with_rowid": False},)


class RollupSpan(SQLModel, table=True):
    """What happened in one slot of a span of time; which, is said in `services.spans`.

    The slot comes last in the key: a span is read from end to end, in the order in which its rows are summed.
    """

    __tablename__ = "rollup_spans"

    span: str = Field(primary_key=True, max_length=10)
    measure: str = Field(primary_key=True, max_length=20)  # an outcome, `wait` or `run`
    type: str = Field(primary_key=True, max_length=100)  # "" for all types together
    bucket: int = Field(default=0, primary_key=True, sa_column_kwargs={"autoincrement": False})
    slot: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # its first minute since 1970
    n: int = Field(default=0, sa_type=Id)

    __table_args__ = ({"sqlite_with_rowid": False},)


class RollupDelta(SQLModel, table=True):
    """One addition that waits to be folded."""

    __tablename__ = "rollup_deltas"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    hour: int
    type: str = Field(max_length=100)
    queue: str = Field(max_length=64)
    measure: str = Field(max_length=20)
    bucket: int = 0
    n: int = 1
    minute: int = Field(default=None, nullable=False, sa_column_kwargs={"server_default": this_minute()})
