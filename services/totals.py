"""How many attempts there ever were, by type: outcomes and durations since statistics are kept. For monitoring."""

from collections import Counter

from sqlalchemy import select, union_all

from models import reading, tables
from services.spans import EVER

Sums = Counter[tuple[str, str, int]]  # (type, measure, bucket of the duration; 0 for outcomes)


def attempts() -> Sums:
    """Attempts that ended, counted by outcome, by how long they ran (`run`) and waited (`wait`)."""
    s, d = tables.rollup_spans.c, tables.rollup_deltas.c
    kept = select(s.type, s.measure, s.bucket, s.n).where(s.span == EVER)
    more = select(d.type, d.measure, d.bucket, d.n).where(d.hour > 0)
    found: Sums = Counter()
    with reading() as session:
        for type_, measure, bucket, n in session.execute(union_all(kept, more)):
            found[type_, measure, bucket] += int(n)
    return found
