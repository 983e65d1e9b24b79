"""Adding the deltas of counts to their sums: by the hour, by the minute, and by the spans that charts show."""

from sqlalchemy import text

from models import transaction
from models.db import is_postgresql
from services import spans
from services.lifecycle.look import looking_for

BATCH = 2_000

_CHANGES = "measure IN ('pending', 'queued', 'running')"
# What a delta adds to the hours: itself; and, for a gauge of what lives, a change of its queue in that hour
_HOURS = f"""
    SELECT hour, type, queue, measure, bucket, sum(n) AS n FROM (
        SELECT hour, type, queue, measure, bucket, n FROM {{taken}}
        UNION ALL
        SELECT minute / 60, '', queue, measure, 0, n FROM {{taken}} WHERE hour = 0 AND {_CHANGES}
    ) AS hours
    WHERE TRUE GROUP BY hour, type, queue, measure, bucket ORDER BY hour, type, queue, measure, bucket
"""  # fmt: skip
_MINUTES = f"""
    SELECT measure, minute, '' AS type, queue, 0 AS bucket, sum(n) AS n FROM {{taken}}
    WHERE hour = 0 AND {_CHANGES} GROUP BY measure, minute, queue HAVING sum(n) <> 0
    ORDER BY measure, minute, queue
"""
_KEPT = " UNION ALL ".join(
    f"SELECT '{kept.span}' AS span, '{kept.measure}' AS kind, {kept.width} AS width, {int(kept.by_type)} AS by_type"
    for kept in spans.KEPT
)
# First summed as they are: there are many deltas, and they differ in little
_SPANS = f"""
    SELECT span, measure, CASE by_type WHEN 1 THEN type ELSE '' END AS type, bucket,
        CASE width WHEN 0 THEN 0 ELSE minute - minute % width END AS slot, sum(n) AS n
    FROM (
        SELECT CASE WHEN measure IN ('run', 'wait') THEN measure ELSE 'outcome' END AS kind,
            measure, type, bucket, minute, sum(n) AS n
        FROM {{taken}} WHERE hour > 0 GROUP BY measure, type, bucket, minute
    ) AS happened JOIN ({_KEPT}) AS kept ON kept.kind = happened.kind
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
_INTO_HOURS = f"""
    INSERT INTO rollups (hour, type, queue, measure, bucket, n) {_HOURS}
    ON CONFLICT (hour, type, queue, measure, bucket) DO UPDATE SET n = rollups.n + excluded.n
"""
_INTO_MINUTES = f"""
    INSERT INTO rollup_minutes (measure, minute, type, queue, bucket, n) {_MINUTES}
    ON CONFLICT (measure, minute, type, queue, bucket) DO UPDATE SET n = rollup_minutes.n + excluded.n
"""
_INTO_SPANS = f"""
    INSERT INTO rollup_spans (span, measure, type, bucket, slot, n) {_SPANS}
    ON CONFLICT (span, measure, type, bucket, slot) DO UPDATE SET n = rollup_spans.n + excluded.n
"""

# SKIP LOCKED lets several fold at once; the sorted inserts make them lock the sums in one order
POSTGRESQL_FOLD = text(f"""
    WITH taken AS MATERIALIZED (
        DELETE FROM rollup_deltas
        WHERE id IN (SELECT id FROM rollup_deltas ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
        RETURNING hour, minute, type, queue, measure, bucket, n
    ), by_hour AS ({_INTO_HOURS.format(taken="taken")}), by_minute AS ({_INTO_MINUTES.format(taken="taken")}),
    by_span AS ({_INTO_SPANS.format(taken="taken")})
    SELECT count(*) FROM taken
""")
# The same in several statements: the transaction holds the only write lock
_OLDEST = "(SELECT * FROM rollup_deltas WHERE id <= :last)"
SQLITE_FOLD = [
    text(_INTO_HOURS.format(taken=_OLDEST)),
    text(_INTO_MINUTES.format(taken=_OLDEST)),
    text(_INTO_SPANS.format(taken=_OLDEST)),
    text("DELETE FROM rollup_deltas WHERE id <= :last"),
]
SQLITE_LAST = text("SELECT max(id) FROM (SELECT id FROM rollup_deltas ORDER BY id LIMIT :limit)")


@looking_for("SELECT 1 FROM rollup_deltas")
def fold(limit: int = BATCH) -> int:
    """Add the oldest deltas to the sums. Returns how many; several processes may fold at once."""
    with transaction() as session:
        if is_postgresql():
            return session.execute(POSTGRESQL_FOLD, {"limit": limit}).scalar_one()
        last = session.execute(SQLITE_LAST, {"limit": limit}).scalar()
        done = [session.execute(statement, {"last": last}) for statement in SQLITE_FOLD] if last is not None else []
        return done[-1].rowcount if done else 0  # type: ignore[attr-defined]
