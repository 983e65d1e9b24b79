"""The deltas behind every count: inserted by whoever moves a task, in the same transaction."""

import math
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, String, insert, select
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from models import Move, Outcome, Status, now, tables
from services.lifecycle.batch import given, packed, per_database

LEAST_S = 0.001
PER_DOUBLING = 4  # buckets a factor of two: a bucket is 19 % wide


# (hour, type, queue, measure, bucket) → how many more. Hour 0 is a gauge of a status, else it happened in that hour.
Deltas = Counter[tuple[int, str, str, str, int]]


def hour_of(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // 3600


def bucket_of(seconds: float) -> int:
    """The logarithmic bucket of a duration; 0 is everything up to a millisecond."""
    return 0 if seconds <= LEAST_S else math.ceil(PER_DOUBLING * math.log2(seconds / LEAST_S))


def bucket_top_s(bucket: int) -> float:
    """The longest duration of a bucket, in seconds."""
    return LEAST_S * 2 ** (bucket / PER_DOUBLING)


def gauge(deltas: Deltas, type_: str, queue: str, was: Status | None, is_: Status | None, n: int = 1) -> None:
    """Note that `n` tasks moved from one status to another (None: from or to nowhere).

    What is cancelled while it waits has no attempt that would tell of it: it counts among the outcomes all the same.
    """
    if was is not None:
        deltas[0, type_, queue, was, 0] -= n
    if is_ is not None:
        deltas[0, type_, queue, is_, 0] += n
    if is_ is Status.cancelled and was in Move.cancel.sources:
        deltas[hour_of(now()), type_, queue, Outcome.cancelled, 0] += n


def record(session: Session, deltas: Deltas) -> None:
    """Insert the deltas that do not cancel out."""
    if rows := counted(deltas):
        session.execute(_insert(), {"given": packed(rows)})


def counted(deltas: Deltas) -> list[dict[str, Any]]:
    """The deltas that do not cancel out, as rows for `counting`."""
    return [dict(zip(_COLUMNS, (*key, n), strict=True)) for key, n in deltas.items() if n]


def counting(name: str, *where: Any) -> Any:
    """The statement that inserts the rows of the parameter `name`, where these conditions hold."""
    rows = select(*given(_COLUMNS, name).c).where(*where)
    return insert(tables.rollup_deltas).from_select(list(_COLUMNS), rows, include_defaults=False)


@per_database
def _insert() -> Any:
    return counting("given")


_COLUMNS: dict[str, TypeEngine] = {
    "hour": Integer(), "type": String(), "queue": String(), "measure": String(), "bucket": Integer(), "n": Integer()
}  # fmt: skip
