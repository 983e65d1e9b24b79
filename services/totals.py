"""How many attempts there ever were, by type: outcomes and durations since statistics are kept. For monitoring."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select, union_all

from models import Outcome, now, reading, tables
from services.lifecycle.counts import hour_of

MEASURES = [*(str(o) for o in Outcome), "run", "wait"]

Sums = Counter[tuple[str, str, int]]  # (type, measure, bucket of the duration; 0 for outcomes)


@dataclass
class _Closed:
    """The sums of all hours before one, which do not change any more."""

    before: int = 0
    sums: Sums = field(default_factory=Counter)


_lock = threading.Lock()
_closed = _Closed()


def attempts() -> Sums:
    """Attempts that ended, counted by outcome, by how long they ran (`run`) and waited (`wait`).

    Hours that ended an hour ago are added up once in an hour, and what was written down for them later than that is
    seen an hour later.
    """
    global _closed
    edge = hour_of(now()) - 1
    with _lock:
        if _closed.before != edge:
            _closed = _Closed(edge, _read(1, edge))
        return _closed.sums + _read(edge, None)


def forget() -> None:
    """Read everything anew: for tests."""
    global _closed
    _closed = _Closed()


def _read(first: int, before: int | None) -> Sums:
    parts = []
    for c in (tables.rollups.c, tables.rollup_deltas.c):
        part = select(c.type, c.measure, c.bucket, c.n).where(c.measure.in_(MEASURES), c.hour >= first)
        parts.append(part if before is None else part.where(c.hour < before))
    both = union_all(*parts).subquery("both")
    keys = (both.c.type, both.c.measure, both.c.bucket)
    with reading() as session:
        rows = session.execute(select(*keys, func.sum(both.c.n)).group_by(*keys)).all()
    return Counter({(type_, measure, bucket): int(n) for type_, measure, bucket, n in rows})
