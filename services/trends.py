"""How things went over a span of time: what ended and how long it took, read as `services.spans` keeps it.

No answer grows with the ledger.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Integer, Select, bindparam, func, select, union_all
from sqlalchemy.types import NullType
from sqlmodel import Session

from models import Outcome, reading, tables
from models.db import is_postgresql
from services import stats
from services.lifecycle.batch import fetch, per_database, whole
from services.spans import Span, moment, span

PS = (50, 95)
Buckets = list[tuple[int, int]]  # of durations, with how many each


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
        given_up = stats.given_up(moment(starts[0]))
    outcomes: dict[Outcome, list[int]] = {}
    for (_, outcome), counts in ended.items():
        sums = outcomes.setdefault(outcome, [0] * len(starts))
        outcomes[outcome] = [a + b for a, b in zip(sums, counts, strict=True)]
    for at, type_ in given_up:
        column = (int(at.timestamp()) // 60 - starts[0]) // over.step
        if 0 <= column < len(starts):
            ended.setdefault((type_, Outcome.failed), [0] * len(starts))[column] += 1
    return Trend(
        over, [moment(m) for m in starts], outcomes, [moment(m) for m in slow],
        [durations.get((start, "run"), {}) for start in slow], [durations.get((start, "wait"), {}) for start in slow],
        _types(ended, runs, len(starts)),
    )  # fmt: skip


def _types(
    ended: dict[tuple[str, Outcome], list[int]], runs: dict[str, dict[float, float]], columns: int
) -> list[TypeTrend]:
    found, none = [], [0] * columns
    for name in {type_ for type_, _ in ended}:
        failed = ended.get((name, Outcome.failed), none)
        both = [a + b for a, b in zip(ended.get((name, Outcome.completed), none), failed, strict=True)]
        found.append(TypeTrend(name, sum(both), sum(failed), both, failed, runs.get(name, {})))
    return sorted(found, key=lambda one: (-one.ended, one.name))


def _outcomes(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[str, Outcome], list[int]]:
    places = {start: place for place, start in enumerate(starts)}
    found: dict[tuple[str, Outcome], list[int]] = defaultdict(lambda: [0] * len(starts))
    values = {"span": over.name, "width": over.step, "since": starts[0]}
    for measure, type_, slots, counts in fetch(session, _happened("type", *Outcome), values):
        sums = found[type_, Outcome(measure)]
        for start, n in zip(slots, counts, strict=True):
            if start in places:  # a column may have begun meanwhile
                sums[places[start]] += n
    return dict(found)


def _durations(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[int, str], dict[float, float]]:
    found: dict[str, dict[int, Buckets]] = {measure: defaultdict(list) for measure in ("run", "wait")}
    values = {"span": over.name, "width": over.slow, "since": starts[0]}
    for measure, bucket, slots, counts in fetch(session, _happened("bucket", *found), values):
        columns = found[measure]
        for start, n in zip(slots, counts, strict=True):
            columns[start].append((bucket, n))
    return {
        (start, measure): _percentiles(buckets)
        for measure, columns in found.items()
        for start, buckets in columns.items()
    }


def _runs(session: Session, over: Span, starts: Sequence[int]) -> dict[str, dict[float, float]]:
    found: dict[str, Buckets] = defaultdict(list)
    for type_, bucket, n in fetch(session, _ran(), {"span": over.name, "since": starts[0]}):
        found[type_].append((bucket, int(n)))
    return {type_: _percentiles(buckets) for type_, buckets in found.items()}


def _percentiles(buckets: Buckets) -> dict[float, float]:
    """Of buckets in any order. One may come more than once, which moves an answer within it at most."""
    buckets.sort()
    return dict(zip(map(float, PS), stats.quantiles(buckets, [p / 100 for p in PS]), strict=True))


@per_database
def _ran() -> Any:
    """How many attempts of each type ran how long: type, bucket, count."""
    s, d = tables.rollup_spans.c, tables.rollup_deltas.c
    kept = select(s.type, s.bucket, func.sum(s.n)).group_by(s.type, s.bucket)
    kept = kept.where(s.span == bindparam("span"), s.measure == "run", s.type > "", s.slot >= bindparam("since"))
    more = select(d.type, d.bucket, d.n).where(d.measure == "run", d.hour > 0, d.minute >= bindparam("since"))
    both: Any = union_all(kept, more)
    return whole(both)


@per_database
def _happened(column: str, *measures: str) -> Any:
    """Slots of `:width` minutes from the minute `:since` on, as they are kept for `:span` and with what waits to be
    added to them.

    Of each measure and type, or bucket, the slots and their counts, in two lists: thousands of rows take longer to
    fetch than to find. Of all types together where it is not the types that are asked for. A slot may come more than
    once.
    """
    s, d = tables.rollup_spans.c, tables.rollup_deltas.c
    slot = d.minute - d.minute % bindparam("width", type_=Integer)
    names = [str(measure) for measure in measures]
    parts = [names] if column == "type" else [[name] for name in names]  # buckets come in their order then
    found: list[Select] = []
    for part in parts:
        kept = select(s.measure, s[column], _listed(s.slot), _listed(s.n)).group_by(s.measure, s[column])
        kept = kept.where(s.span == bindparam("span"), s.measure.in_(part), s.slot >= bindparam("since"))
        found.append(kept if column == "type" else kept.where(s.type == ""))
    more = select(d.measure, d[column], _listed(slot), _listed(d.n)).group_by(d.measure, d[column])
    more = more.where(d.measure.in_(names), d.hour > 0, d.minute >= bindparam("since"))
    both: Any = union_all(*found, more)
    return whole(both)


def _listed(column: ColumnElement[int]) -> ColumnElement[Any]:
    if is_postgresql():
        return func.array_agg(column, type_=NullType())  # whose driver makes the lists
    return func.json_group_array(column, type_=JSON)
