"""How things went over a span of time: what ended, how long it took, how long the lines were. From roll-ups alone.

The last hours are drawn from sums by the minute, longer spans from those by the hour; no answer grows with the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlmodel import Session

from models import Outcome, Status, now, reading, tables
from services import stats
from services.errors import InvalidInput

PS = (50, 95)
LINES = (Status.pending, Status.queued, Status.running)


@dataclass(frozen=True, slots=True)
class Span:
    """So many minutes back from now, in columns of `step` minutes; durations are taken over `slow` minutes."""

    name: str
    minutes: int
    step: int
    slow: int
    fine: bool  # from the sums by the minute

    def starts(self, step: int) -> list[int]:
        """The first minute (since 1970) of each column, the present one last."""
        last = int(now().timestamp()) // 60 // step * step
        return list(range(last - self.minutes + step, last + 1, step))


SPANS = {
    span.name: span
    for span in (
        Span("1h", 60, 1, 5, fine=True),
        Span("6h", 360, 5, 15, fine=True),
        Span("24h", 24 * 60, 60, 60, fine=False),
        Span("7d", 7 * 24 * 60, 180, 180, fine=False),
    )
}


@dataclass(frozen=True, slots=True)
class TypeTrend:
    """How one type did. `ended` is what completed or failed for good."""

    name: str
    ended: int
    failed: int
    ended_by_column: list[int]
    failed_by_column: list[int]
    run: dict[float, float]  # seconds by percentage

    @property
    def failure_rate(self) -> float | None:
        """The share that failed; None where nothing ended."""
        return self.failed / self.ended if self.ended else None


@dataclass(frozen=True, slots=True)
class Trend:
    """What attempts came to in each column, and what was cancelled before it had one; percentiles in seconds by
    percentage."""

    span: Span
    columns: list[datetime]
    outcomes: dict[Outcome, list[int]]
    slow_columns: list[datetime]
    run: list[dict[float, float]]
    wait: list[dict[float, float]]
    types: list[TypeTrend] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Depths:
    """How many tasks stood in a status at the end of each column; None for what was before anything is known of."""

    columns: list[datetime]
    total: dict[Status, list[int | None]]
    queued: dict[str, list[int | None]]  # by queue


def span(name: str) -> Span:
    """One of `SPANS`. Raises `InvalidInput`."""
    if name not in SPANS:
        raise InvalidInput("span", f"{name!r} is none of {', '.join(SPANS)}")
    return SPANS[name]


def trend(name: str) -> Trend:
    """Outcomes, durations and types over one of `SPANS`.

    A task that was given up because its workers died counts as failed; its last attempt counts as lost, too.
    """
    over = span(name)
    starts, slow = over.starts(over.step), over.starts(over.slow)
    with reading() as session:
        ended = _outcomes(session, over, starts)
        durations = _durations(session, over, slow)
        runs = _runs(session, over, starts)
        given_up = stats.given_up(_moment(starts[0]))
    outcomes: dict[Outcome, list[int]] = {}
    for (_, outcome), counts in ended.items():
        sums = outcomes.setdefault(outcome, [0] * len(starts))
        outcomes[outcome] = [a + b for a, b in zip(sums, counts, strict=True)]
    for at, type_ in given_up:
        column = (int(at.timestamp()) // 60 - starts[0]) // over.step
        if 0 <= column < len(starts):
            ended.setdefault((type_, Outcome.failed), [0] * len(starts))[column] += 1
    return Trend(
        over, [_moment(m) for m in starts], outcomes, [_moment(m) for m in slow],
        [durations.get((start, "run"), {}) for start in slow], [durations.get((start, "wait"), {}) for start in slow],
        _types(ended, runs, len(starts)),
    )  # fmt: skip


def depths(name: str) -> Depths:
    """How long the lines were, worked out backwards from how long they are: by how much they changed since."""
    over = span(name)
    starts = over.starts(over.step)
    with reading() as session:
        current = stats.by_queue()
        changes = _changes(session, over, starts)
        first = _first_known(session)
    known = [start + over.step > first for start in starts]
    total: dict[Status, list[int | None]] = {}
    queued: dict[str, list[int | None]] = {}
    for status in LINES:
        lines = {q: _backwards(current[q][status], changes.get((q, status), {}), starts, known) for q in current}
        total[status] = [sum(v or 0 for v in column) if at else None for at, *column in zip(known, *lines.values())]  # noqa: B905
        if status is Status.queued:
            queued = lines
    return Depths([_moment(m) for m in starts], total, queued)


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _backwards(current: int, changes: dict[int, int], starts: Sequence[int], known: Sequence[bool]) -> list[int | None]:
    line: list[int | None] = []
    for start, is_known in zip(reversed(starts), reversed(known), strict=True):
        line.append(max(0, current) if is_known else None)
        current -= changes.get(start, 0)
    return line[::-1]


def _types(
    ended: dict[tuple[str, Outcome], list[int]], runs: dict[str, list[tuple[int, int]]], columns: int
) -> list[TypeTrend]:
    found, none = [], [0] * columns
    for name in {type_ for type_, _ in ended}:
        failed = ended.get((name, Outcome.failed), none)
        both = [a + b for a, b in zip(ended.get((name, Outcome.completed), none), failed, strict=True)]
        run = {float(p): stats.quantile(runs[name], p / 100) for p in PS} if runs.get(name) else {}
        found.append(TypeTrend(name, sum(both), sum(failed), both, failed, run))
    return sorted(found, key=lambda one: (-one.ended, one.name))


def _outcomes(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[str, Outcome], list[int]]:
    rows = _rows(over, starts[0], list(Outcome))
    at = _column(over, rows, over.step)
    query = select(at, rows.c.type, rows.c.measure, func.sum(rows.c.n)).group_by(at, rows.c.type, rows.c.measure)
    found: dict[tuple[str, Outcome], list[int]] = {}
    for start, type_, measure, n in session.execute(query):
        place = (start - starts[0]) // over.step
        if 0 <= place < len(starts):
            found.setdefault((type_, Outcome(measure)), [0] * len(starts))[place] += int(n)
    return found


def _durations(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[int, str], dict[float, float]]:
    rows = _rows(over, starts[0], ["run", "wait"])
    at = _column(over, rows, over.slow)
    keys = (at, rows.c.measure, rows.c.bucket)
    buckets: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for start, measure, bucket, n in session.execute(
        select(*keys, func.sum(rows.c.n)).group_by(*keys).order_by(rows.c.bucket)
    ):
        buckets.setdefault((start, measure), []).append((bucket, int(n)))
    return {key: {float(p): stats.quantile(found, p / 100) for p in PS} for key, found in buckets.items()}


def _runs(session: Session, over: Span, starts: Sequence[int]) -> dict[str, list[tuple[int, int]]]:
    rows = _rows(over, starts[0], ["run"])
    keys = (rows.c.type, rows.c.bucket)
    found: dict[str, list[tuple[int, int]]] = {}
    for type_, bucket, n in session.execute(select(*keys, func.sum(rows.c.n)).group_by(*keys).order_by(rows.c.bucket)):
        found.setdefault(type_, []).append((bucket, int(n)))
    return found


def _changes(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[str, Status], dict[int, int]]:
    rows = _rows(over, starts[0], [s.value for s in LINES], changes=True)
    at = _column(over, rows, over.step)
    keys = (rows.c.queue, rows.c.measure, at)
    found: dict[tuple[str, Status], dict[int, int]] = {}
    for queue, measure, start, n in session.execute(select(*keys, func.sum(rows.c.n)).group_by(*keys)):
        found.setdefault((queue, Status(measure)), {})[start] = int(n)
    return found


def _first_known(session: Session) -> int:
    """The minute from which on changes were written down: they are not in a ledger that is older than they."""
    r, d = tables.rollups.c, tables.rollup_deltas.c
    queued = select(r.hour).where(r.measure == Status.queued.value, r.hour > 0).order_by(r.hour).limit(1)
    hour = session.execute(queued).scalar()
    first = session.execute(select(func.min(d.minute))).scalar() if hour is None else hour * 60
    return int(now().timestamp()) // 60 if first is None else first


def _column(over: Span, rows: Any, step: int) -> Any:
    """The first minute of the column that a row falls into."""
    unit = step if over.fine else step // 60
    factor = unit if over.fine else unit * 60
    return (rows.c.at.op("/")(literal(unit)) * factor).label("start")


def _rows(over: Span, since: int, measures: Sequence[str], changes: bool = False) -> Any:
    """Sums and what waits to be added to them, from this minute on; `at` is a minute or an hour since 1970."""
    names = [str(m) for m in measures]
    sums, deltas = tables.rollup_minutes.c if over.fine else tables.rollups.c, tables.rollup_deltas.c
    first = since if over.fine else since // 60
    at = sums.minute if over.fine else sums.hour
    late = deltas.minute if over.fine else deltas.minute.op("/")(literal(60)) if changes else deltas.hour
    kept = select(at.label("at"), sums.type, sums.queue, sums.measure, sums.bucket, sums.n)
    more = select(late.label("at"), deltas.type, deltas.queue, deltas.measure, deltas.bucket, deltas.n)
    more = more.where(deltas.hour == 0) if changes else more.where(deltas.hour > 0)
    kept = kept.where(sums.measure.in_(names), at >= first)
    return union_all(kept, more.where(deltas.measure.in_(names), late >= first)).subquery("rows")
