"""What every table shares: naming, time, JSON. `now()` is the only clock of the ledger."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer
from sqlalchemy import Enum as SAEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Json: Any = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id: Any = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in INTEGER columns

_ahead = timedelta(0)


def now() -> datetime:
    """The ledger's time: aware, UTC. Follows the database's clock where `follow_clock` was told of it."""
    return datetime.now(UTC) - _ahead


def follow_clock(database_time: datetime) -> None:
    """Keep step with the database, so that hosts whose clocks differ agree on leases.

    Differences under half a second are left alone: they are the round trip, not the clock.
    """
    global _ahead
    ahead = datetime.now(UTC) - database_time
    if abs(ahead - _ahead) > timedelta(seconds=0.5):
        _ahead = ahead


def words(enum: type[Enum]) -> SAEnum:
    """A column that stores an enum's values as text; CHECK constraints are written out by the tables."""
    return SAEnum(
        enum,
        native_enum=False,
        length=20,
        create_constraint=False,
        values_callable=lambda members: [m.value for m in members],
    )
