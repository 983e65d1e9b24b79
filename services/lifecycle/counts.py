"""The deltas behind every count: inserted by whoever moves a task, in the same transaction."""

import math
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert
from sqlmodel import Session

from models import Status, tables

LEAST_S = 0.001
PER_DOUBLING = 4  # buckets a factor of two: a bucket is 19 % wide


class Measure(NamedTuple):
    """What is counted: a gauge of a status (`hour` 0), or something that happened in an hour."""

    hour: int
    type: str
    queue: str
    measure: str
    bucket: int = 0


Deltas = Counter[Measure]


def hour_of(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp()) // 3600


def bucket_of(seconds: float) -> int:
    """The logarithmic bucket of a duration; 0 is everything up to a millisecond."""
    return max(0, math.ceil(PER_DOUBLING * math.log2(max(seconds, LEAST_S) / LEAST_S)))


def bucket_top_s(bucket: int) -> float:
    """The longest duration of a bucket, in seconds."""
    return LEAST_S * 2 ** (bucket / PER_DOUBLING)


def gauge(deltas: Deltas, type_: str, queue: str, was: Status | None, is_: Status | None, n: int = 1) -> None:
    """Note that `n` tasks moved from one status to another (None: from or to nowhere)."""
    if was is not None:
        deltas[Measure(0, type_, queue, was.value)] -= n
    if is_ is not None:
        deltas[Measure(0, type_, queue, is_.value)] += n


def record(session: Session, deltas: Mapping[Measure, int]) -> None:
    """Insert the deltas that do not cancel out."""
    rows = [{**measure._asdict(), "n": n} for measure, n in deltas.items() if n]
    if rows:
        session.execute(insert(tables.rollup_deltas), rows)
