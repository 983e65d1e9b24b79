"""Counts and durations, without ever counting the history.

Moves insert deltas (`services.lifecycle.counts`); `services.folding` adds them to `rollups`; every reader adds both in
one statement, so that its sums are exact at each moment, however far the folding is.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Literal

from sqlalchemy import Select, func, select, union_all

from models import Outcome, Status, now, reading, tables, waiting
from services import checks
from services.errors import InvalidInput, NotFound
from services.lifecycle.counts import bucket_top_s, hour_of

LONGEST_HOURS = 24 * 400
MOST_HIDDEN = MOST_GIVEN_UP = 10_000  # rows that are read at most, by index

_KEY = ("hour", "type", "queue", "measure", "bucket")
_task = tables.tasks.c


@dataclass(frozen=True, slots=True)
class Hour:
    """What ended in one hour: the outcomes of attempts, and what was cancelled before it had any."""

    at: datetime  # its start
    type: str
    counts: dict[Outcome, int]


def by_status(type: str | None = None, queue: str | None = None) -> dict[Status, int]:  # noqa: A002
    """How many tasks stand in each status now, without those that were deleted (of which at most 10,000 are seen)."""
    both = _both(hours=None, measures=[s.value for s in Status], type=type, queue=queue)
    hidden = select(_task.status, _task.type, _task.queue).where(_task.deleted_at.is_not(None))
    some = hidden.order_by(_task.id.desc()).limit(MOST_HIDDEN).subquery()  # by its index, whatever else is asked
    hidden_counts = select(some.c.status, func.count().label("n")).group_by(some.c.status)
    for column, wanted in ((some.c.type, type), (some.c.queue, queue)):
        hidden_counts = hidden_counts if wanted is None else hidden_counts.where(column == wanted)
    with reading() as session:
        rows = session.execute(select(both.c.measure, func.sum(both.c.n)).group_by(both.c.measure)).all()
        gone: dict[Status, int] = {row.status: row.n for row in session.execute(hidden_counts)}
    known = {Status(measure): int(n) for measure, n in rows}
    return {status: known.get(status, 0) - gone.get(status, 0) for status in Status}


def by_queue() -> dict[str, dict[Status, int]]:
    """How many tasks stand in each status now, for every queue that ever had one."""
    both = _both(hours=None, measures=[s.value for s in Status])
    rows = _read(select(both.c.queue, both.c.measure, func.sum(both.c.n)).group_by(both.c.queue, both.c.measure))
    found: dict[str, dict[Status, int]] = {}
    for queue, measure, n in rows:
        found.setdefault(queue, dict.fromkeys(Status, 0))[Status(measure)] = int(n)
    return found


def by_type() -> dict[tuple[str, Status], int]:
    """How many tasks of each type stand in each status now; deleted ones are counted, too."""
    both = _both(hours=None, measures=[s.value for s in Status])
    rows = _read(select(both.c.type, both.c.measure, func.sum(both.c.n)).group_by(both.c.type, both.c.measure))
    return {(name, Status(measure)): int(n) for name, measure, n in rows}


def by_type_and_hour(hours: int = 24, type: str | None = None, queue: str | None = None) -> list[Hour]:  # noqa: A002
    """The outcomes of attempts and of what was cancelled waiting, by type and hour, oldest first; hours without any
    are left out."""
    both = _both(_last(hours), [o.value for o in Outcome], type, queue)
    c = both.c
    rows = _read(
        select(c.hour, c.type, c.measure, func.sum(c.n))
        .group_by(c.hour, c.type, c.measure)
        .order_by(c.hour, c.type, c.measure)
    )
    found: dict[tuple[int, str], dict[Outcome, int]] = {}
    for hour, type_, measure, n in rows:
        found.setdefault((hour, type_), {})[Outcome(measure)] = int(n)
    return [Hour(datetime.fromtimestamp(hour * 3600, UTC), type_, counts) for (hour, type_), counts in found.items()]


def throughput(hours: int = 24, type: str | None = None, queue: str | None = None) -> list[tuple[datetime, int]]:  # noqa: A002
    """How many attempts completed in each of the last hours, the present one last; hours without any are 0."""
    both = _both(_last(hours), [Outcome.completed.value], type, queue)
    counts = dict(_read(select(both.c.hour, func.sum(both.c.n)).group_by(both.c.hour)))
    return [(datetime.fromtimestamp(hour * 3600, UTC), int(counts.get(hour, 0))) for hour in _hours(hours)]


def failure_rate(type: str | None = None, queue: str | None = None, hours: int = 24) -> float | None:  # noqa: A002
    """The share of tasks that failed, by an error or because their workers died, of those that completed or failed."""
    since = _last(hours)
    both = _both(since, [Outcome.completed.value, Outcome.failed.value], type, queue)
    counts = dict(_read(select(both.c.measure, func.sum(both.c.n)).group_by(both.c.measure)))
    lost = len(given_up(datetime.fromtimestamp(since * 3600, UTC), type, queue))
    failed = int(counts.get(Outcome.failed.value, 0)) + lost
    total = failed + int(counts.get(Outcome.completed.value, 0))
    return failed / total if total else None


def given_up(since: datetime, type: str | None = None, queue: str | None = None) -> list[tuple[datetime, str]]:  # noqa: A002
    """When and of which type tasks failed because their workers died; their attempts are counted as `lost`.

    The newest 10,000, by the index of fingerprints; one that was run again meanwhile is not among them.
    """
    query = select(_task.finished_at, _task.type).where(
        _task.fingerprint == "worker-lost", _task.status == Status.failed, _task.finished_at >= since
    )
    for column, wanted in ((_task.type, type), (_task.queue, queue)):
        query = query if wanted is None else query.where(column == wanted)
    return [(at, name) for at, name in _read(query.order_by(_task.id.desc()).limit(MOST_GIVEN_UP))]


def percentiles(
    measure: Literal["run", "wait"],
    type: str | None = None,  # noqa: A002
    queue: str | None = None,
    hours: int = 24,
    ps: Sequence[float] = (50, 95, 99),
) -> dict[float, float]:
    """Seconds that so many percent of attempts took at most, to run or to wait; empty where there were none.

    From logarithmic buckets, each 19 % wider than the one before; inside a bucket the durations are taken to be spread
    evenly on the logarithmic scale, so that an answer is off by less than 19 %.
    """
    if measure not in ("run", "wait"):
        raise InvalidInput("measure", f"{checks.shortened(measure)} is none of run, wait")
    wrong = [p for p in ps if not 0 < p <= 100]
    if wrong:
        raise InvalidInput("ps", f"{wrong[0]} is not a percentage above 0, up to 100")
    both = _both(_last(hours), [measure], type, queue)
    rows = _read(select(both.c.bucket, func.sum(both.c.n)).group_by(both.c.bucket).order_by(both.c.bucket))
    buckets = [(bucket, int(n)) for bucket, n in rows if n > 0]
    return dict(zip(ps, quantiles(buckets, [p / 100 for p in ps]), strict=True)) if buckets else {}


def quantile(buckets: Sequence[tuple[int, int]], share: float) -> float:
    """The duration in seconds that this share is at most; `buckets` are (bucket, count), ascending, not empty."""
    return quantiles(buckets, [share])[0]


def quantiles(buckets: Sequence[tuple[int, int]], shares: Iterable[float]) -> list[float]:
    """The same of several shares."""
    upto, found = list(accumulate(n for _, n in buckets)), []
    for share in shares:
        wanted = share * upto[-1]
        at = bisect_left(upto, wanted)
        bucket, n = buckets[at]
        found.append(_inside(bucket, 1 - (upto[at] - wanted) / n))
    return found


def _inside(bucket: int, share: float) -> float:
    top = bucket_top_s(bucket)
    if bucket == 0:  # it begins at 0, which no logarithm reaches
        return top * share
    bottom = bucket_top_s(bucket - 1)
    return bottom * (top / bottom) ** share


def place_in_line(task_id: int) -> int | None:
    """Its place among the queued tasks of its queue, from 1; 10,001 for all behind; None where it does not queue."""
    with reading() as session:
        c = tables.tasks.c
        row = session.execute(select(c.queue, c.priority, c.status, c.parked).where(c.id == task_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no task #{task_id}")
        if row.status is not Status.queued or row.parked:
            return None
        return waiting.place(session, row.queue, row.priority, task_id)


def _hours(hours: int) -> range:
    checks.whole(hours, "hours", 1, LONGEST_HOURS)
    last = hour_of(now())
    return range(last - hours + 1, last + 1)


def _last(hours: int) -> int:
    return _hours(hours).start


def _both(
    hours: int | None,
    measures: Iterable[str],
    type: str | None = None,  # noqa: A002
    queue: str | None = None,
) -> Any:
    """Folded and unfolded rows of these measures, from this hour on (None: gauges)."""
    names = list(measures)
    parts = []
    for table in (tables.rollups, tables.rollup_deltas):
        c = table.c
        part = select(*(c[name] for name in _KEY), c.n).where(c.measure.in_(names))
        part = part.where(c.hour == 0) if hours is None else part.where(c.hour >= hours)
        if type is not None:
            part = part.where(c.type == type)
        if queue is not None:
            part = part.where(c.queue == queue)
        parts.append(part)
    return union_all(*parts).subquery("both")


def _read(query: Select) -> Sequence[Any]:
    with reading() as session:
        return session.execute(query).all()
