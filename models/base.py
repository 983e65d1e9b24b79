"""What every table shares: naming, time, JSON. `now()` is the only clock of the ledger."""

import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, func, select
from sqlalchemy import Enum as SAEnum
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Json: Any = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Id: Any = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in INTEGER columns

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first goes on while the machine sleeps
_LEAST_S = 0.5  # differences below are the round trip, not the clock

_ahead = timedelta(0)
_offset_s: float | None = None  # when we last kept step


def now() -> datetime:
    """The ledger's time: aware, UTC. Follows the database's clock where `follow_clock` was told of it."""
    return datetime.now(UTC) - _ahead - _set_since()


def follow_clock(database_time: datetime) -> None:
    """Keep step with the database, so that hosts whose clocks differ agree on leases."""
    global _ahead, _offset_s
    ahead = datetime.now(UTC) - database_time
    if abs(ahead - _ahead) > timedelta(seconds=_LEAST_S):
        _ahead = ahead
    _offset_s = offset_s()


def keep_step(session: Session) -> None:
    """Ask PostgreSQL for its time, and follow it."""
    follow_clock(session.execute(select(func.clock_timestamp())).scalar_one())


def offset_s() -> float:
    """This machine's clock less one that nobody can set, in seconds: it changes when the clock is set."""
    for _ in range(3):
        steady, wall = time.clock_gettime(_STEADY), time.time()
        if time.clock_gettime(_STEADY) - steady < 0.01:  # else this thread had to wait between two looks
            break
    return wall - steady


def steady_s() -> float:
    """The ledger's clock less one that nobody can set, in seconds: it changes when either is set that `now` follows."""
    return offset_s() - (_ahead + _set_since()).total_seconds()


def _set_since() -> timedelta:
    """How far this machine's clock was set since we last kept step, so that a lease is right even before the next."""
    if _offset_s is None or abs(jump := offset_s() - _offset_s) < _LEAST_S:
        return timedelta(0)
    return timedelta(seconds=jump)


def forget_clock() -> None:
    """Keep step with no database any more."""
    global _ahead, _offset_s
    _ahead, _offset_s = timedelta(0), None


def words(enum: type[Enum]) -> SAEnum:
    """A column that stores an enum's values as text; CHECK constraints are written out by the tables."""
    return SAEnum(
        enum,
        native_enum=False,
        length=20,
        create_constraint=False,
        values_callable=lambda members: [m.value for m in members],
    )
