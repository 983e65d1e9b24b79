"""How long a task of a type is expected to take: the median of its history, once there is one."""

import time
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import func, select

from models import reading, tables
from services.lifecycle.counts import bucket_top_s
from services.spans import EVER

ENOUGH = 5
RECENT = "7d"  # what a task took last year says little where it has run since
KEPT_FOR_S = 30.0
DEFAULT_S = 60.0

_kept: dict[str, tuple[float, float | None]] = {}


def estimate_s(task_type_name: str, stated_s: float | None) -> float:
    """Seconds a task of this type is expected to run: the median of recent ones, else what its type states."""
    median = _median_s(task_type_name)
    return median if median is not None else (stated_s or DEFAULT_S)


def _median_s(name: str) -> float | None:
    at, known = _kept.get(name, (float("-inf"), None))
    if time.monotonic() - at > KEPT_FOR_S:
        known = _read(name)
        _kept[name] = (time.monotonic(), known)
    return known


def _read(name: str) -> float | None:
    """Of the last days; of all time where there were few in them."""
    s = tables.rollup_spans.c
    runs = select(s.bucket, func.sum(s.n)).where(s.type == name, s.measure == "run").group_by(s.bucket)
    with reading() as session:
        for span in (RECENT, EVER):
            buckets = session.execute(runs.where(s.span == span).order_by(s.bucket)).all()
            if (total := sum(n for _, n in buckets)) >= ENOUGH:
                return _middle(buckets, total)
    return None


def _middle(buckets: Sequence[Any], total: int) -> float:
    """The top of the bucket in which the middle one is."""
    reached = zip(buckets, accumulate(n for _, n in buckets), strict=True)
    return next(float(bucket_top_s(bucket)) for (bucket, _), below in reached if 2 * below >= total)


def forget() -> None:
    """Forget what was read: for tests."""
    _kept.clear()
