"""How long the lines were over a span of time: worked out backwards from how long they are, by how much they changed.

The changes are the sums by the minute or the hour; no answer grows with the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, literal, select, union_all
from sqlmodel import Session

from models import Status, reading, tables
from services import stats
from services.spans import Span, minute, moment, span

LINES = (Status.pending, Status.queued, Status.running)


@dataclass(frozen=True, slots=True)
class Depths:
    """How many tasks stood in a status at the end of each column; None for what was before anything is known of."""

    columns: list[datetime]
    total: dict[Status, list[int | None]]
    queued: dict[str, list[int | None]]  # by queue


def depths(name: str) -> Depths:
    """The lengths of all lines over one of `SPANS`."""
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
    return Depths([moment(m) for m in starts], total, queued)


def _backwards(current: int, changes: dict[int, int], starts: Sequence[int], known: Sequence[bool]) -> list[int | None]:
    line: list[int | None] = []
    for start, is_known in zip(reversed(starts), reversed(known), strict=True):
        line.append(max(0, current) if is_known else None)
        current -= changes.get(start, 0)
    return line[::-1]


def _changes(session: Session, over: Span, starts: Sequence[int]) -> dict[tuple[str, Status], dict[int, int]]:
    """By how much each line changed in each column, by the column's first minute."""
    names = [s.value for s in LINES]
    sums, d = tables.rollup_minutes.c if over.fine else tables.rollups.c, tables.rollup_deltas.c
    at, unit = (sums.minute, 1) if over.fine else (sums.hour, 60)
    kept = select(at.label("at"), sums.queue, sums.measure, sums.n)
    kept = kept.where(sums.measure.in_(names), at >= starts[0] // unit)
    more = select(d.minute.op("/")(literal(unit)).label("at"), d.queue, d.measure, d.n)
    more = more.where(d.hour == 0, d.measure.in_(names), d.minute >= starts[0])
    rows = union_all(kept, more).subquery("rows")
    column = rows.c.at.op("/")(literal(over.step // unit))
    keys = (rows.c.queue, rows.c.measure, column)
    found: dict[tuple[str, Status], dict[int, int]] = {}
    for queue, measure, at_, n in session.execute(select(*keys, func.sum(rows.c.n)).group_by(*keys)):
        found.setdefault((queue, Status(measure)), {})[at_ * over.step] = int(n)
    return found


def _first_known(session: Session) -> int:
    """The minute from which on changes were written down: they are not in a ledger that is older than they."""
    r, d = tables.rollups.c, tables.rollup_deltas.c
    queued = select(r.hour).where(r.measure == Status.queued.value, r.hour > 0).order_by(r.hour).limit(1)
    hour = session.execute(queued).scalar()
    first = session.execute(select(func.min(d.minute))).scalar() if hour is None else hour * 60
    return minute() if first is None else first
