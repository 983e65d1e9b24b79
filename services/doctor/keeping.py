"""What is kept beside the tasks: counts, bodies, queues, slots."""

from typing import Any

from models import tables
from services.doctor import mending
from services.doctor.check import Check


def _left_over(what: str, task_id: Any, other: str | None, sentence: str) -> Check:
    """Rows that outlived their task: `other` is the column that tells those of one task apart."""
    more = f", {other} AS other" if other else ""
    return Check(
        f"left-over-{what}",
        f"No {what} is left of a task that is gone",
        f"SELECT {task_id.name} AS id{more} FROM {task_id.table.name} AS rest "
        f"WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.id = rest.{task_id.name})",
        sentence,
        mend=mending.remover(task_id),
    )


CHECKS = [
    Check(
        "counts",
        "The counts that are kept are the true ones",
        """
        SELECT type AS id, queue AS other, status, sum(kept) AS kept, sum(n) AS n FROM (
            SELECT type, queue, status, 0 AS kept, count(*) AS n FROM tasks GROUP BY type, queue, status
            UNION ALL SELECT type, queue, measure, n, 0 FROM rollups WHERE hour = 0
            UNION ALL SELECT type, queue, measure, n, 0 FROM rollup_deltas WHERE hour = 0
        ) AS both_counts
        GROUP BY type, queue, status HAVING sum(kept) <> sum(n)
        """,
        "{kept:,} tasks of type {id} in queue {other} are counted as {status}, but there are {n:,}",
        mend=mending.correct_counts,
    ),
    Check(
        "body",
        "Every task has its body",
        "SELECT id FROM tasks WHERE NOT EXISTS (SELECT 1 FROM task_bodies b WHERE b.task_id = tasks.id)",
        "#{id} has no body: what it was called with is lost, so that it can never run; cancel it",
    ),
    Check(
        "queue-row",
        "Every queue in use has its row, without which nobody is served",
        """
        SELECT queue AS id, count(*) AS n FROM tasks
        WHERE NOT EXISTS (SELECT 1 FROM queues q WHERE q.name = tasks.queue) GROUP BY queue
        """,
        "queue {id} has {n:,} tasks and no row, so that none of them can be claimed",
        mend=mending.register_queues,
    ),
    _left_over("body", tables.task_bodies.c.task_id, None, "the body of #{id} is left, but not the task"),
    _left_over("attempt", tables.attempts.c.task_id, "epoch", "attempt {other} of #{id} is left, but not the task"),
    _left_over("need", tables.task_needs.c.child, "parent", "#{id} needs #{other}, but does not exist"),
    Check(
        "slot-once",
        "No slot of a schedule has two tasks",
        """
        SELECT schedule_id AS id, slot AS other, count(*) AS n, min(id) AS first, max(id) AS last FROM tasks
        WHERE schedule_id IS NOT NULL AND slot IS NOT NULL GROUP BY schedule_id, slot HAVING count(*) > 1
        """,
        "slot {other} of schedule {id} has {n} tasks, from #{first} to #{last}",
    ),
    Check(
        "slot-of-task",
        "A slot that ran names the task that was made for it",
        """
        SELECT f.schedule_id AS id, f.slot AS other, f.task_id FROM fires f JOIN tasks t ON t.id = f.task_id
        WHERE f.outcome = 'ran' AND (t.schedule_id IS NULL OR t.schedule_id <> f.schedule_id
            OR t.slot IS NULL OR t.slot <> f.slot)
        """,
        "slot {other} of schedule {id} names #{task_id}, which is not its task",
    ),
]
