"""How long a task of a type is expected to take: the median of its history, once there is one."""

import time

from sqlalchemy import func, select

from models import now, reading, tables
from services.lifecycle.counts import bucket_top_s, hour_of

ENOUGH = 5
RECENT_HOURS = 30 * 24  # what a task took last year says little, and would have to be read
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
    r = tables.rollups.c
    with reading() as session:
        rows = session.execute(
            select(r.bucket, func.sum(r.n))
            .where(r.type == name, r.measure == "run", r.hour > hour_of(now()) - RECENT_HOURS)
            .group_by(r.bucket)
            .order_by(r.bucket)
        ).all()
    total = sum(n for _, n in rows)
    if total < ENOUGH:
        return None
    below = 0
    for bucket, n in rows:
        below += n
        if 2 * below >= total:
            return float(bucket_top_s(bucket))
    return None


def forget() -> None:
    """Forget what was read: for tests."""
    _kept.clear()
