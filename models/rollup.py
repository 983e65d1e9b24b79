"""Counts, folded: nothing ever counts the history.

A measure is either a gauge (`hour` 0: how many tasks stand in a status now) or something that happened in an hour.
Durations are counted in logarithmic buckets. Whoever moves a task inserts deltas in the same transaction; a loop folds
them into `rollups` each second, and readers add both, so the sums are exact at every moment.
"""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.base import Id


class Rollup(SQLModel, table=True):
    """The folded sum of one measure."""

    __tablename__ = "rollups"

    hour: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})  # hours since 1970; 0 for gauges
    type: str = Field(primary_key=True, max_length=100)
    queue: str = Field(primary_key=True, max_length=64)
    measure: str = Field(primary_key=True, max_length=20)  # a status (gauge), an outcome, `wait` or `run`
    bucket: int = Field(default=0, primary_key=True, sa_column_kwargs={"autoincrement": False})
    n: int = Field(default=0, sa_type=Id)

    __table_args__ = (Index("ix_rollups_measure", "measure", "hour"),)


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
