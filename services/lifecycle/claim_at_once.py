"""A claim in one statement, which PostgreSQL commits by itself: for where nothing limits what may run.

A busy process waits for its interpreter after each round trip, and an idle one is changed for the server and back: one
of them in place of five is most of what a claim takes. It gives up, having changed nothing, where a queue is limited
or one of the best tasks has a concurrency key: their gates are to be locked first (see `claim`).
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session

from services import bell
from services.lifecycle.batch import WHEN
from services.lifecycle.line import head, versions
from services.lifecycle.take import COLUMNS, MOVE, TIMES


def claim_at_once(
    session: Session, types: Collection[str], queues: Collection[str] | None, limit: int, lease: dict[str, Any]
) -> Sequence[Any] | None:
    """The rows of tasks that are the worker's now; None where that cannot be done in one statement.

    `lease`: worker, lease_until, at.
    """
    values = {**lease, "versions": versions(types), "now": lease["at"], "most": limit}
    named = {} if queues is None else {"queues": list(queues)}
    rows = session.execute(_statement(queues is not None), values | named).all()
    if rows[0].limited:
        return None
    for queue in rows[0].passed:
        bell.ring_after_commit(queue)
    return [row[2:] for row in rows if row.id is not None]


@lru_cache
def _statement(named: bool) -> Any:
    """`heads`: of each open queue as many as are wanted of all, locked. An array of ids makes PostgreSQL expect few."""
    ours = "paused_at IS NULL" + (" AND queues.name = ANY(:queues)" if named else "")
    found = "= ANY(ARRAY(SELECT id FROM best)) AND NOT (SELECT limited FROM answer)"
    statement = text(f"""
        WITH heads AS MATERIALIZED (
            SELECT head.* FROM queues CROSS JOIN LATERAL ({head("queues.name", ":most")}) AS head WHERE {ours}
        ),
        best AS (SELECT * FROM heads ORDER BY priority DESC, id LIMIT :most),
        answer AS (
            SELECT EXISTS (SELECT FROM queues WHERE max_running IS NOT NULL AND {ours})
                OR EXISTS (SELECT FROM best WHERE concurrency_key IS NOT NULL) AS limited,
                ARRAY(SELECT DISTINCT queue FROM heads WHERE id NOT IN (SELECT id FROM best)) AS passed
        ),
        moved AS ({MOVE.format(found=found)} RETURNING {", ".join(COLUMNS)}),
        counted AS (
            INSERT INTO rollup_deltas (hour, type, queue, measure, bucket, n)
            SELECT 0, type, queue, measure, 0, by * count(*)
            FROM moved CROSS JOIN (VALUES ('queued', -1), ('running', 1)) AS step (measure, by)
            GROUP BY type, queue, measure, by
        )
        SELECT answer.*, moved.*, payload
        FROM answer LEFT JOIN (moved JOIN task_bodies ON task_id = moved.id) ON true
    """)
    return statement.bindparams(*TIMES, bindparam("now", type_=WHEN))
