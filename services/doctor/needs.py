"""Who waits for whom: nobody starts too early, and nobody waits for what has ended."""

from services.doctor import mending
from services.doctor.check import Check

CHECKS = [
    Check(
        "waits-on",
        "A task waits on as many others as its open needs",
        """
        SELECT t.id, t.status, t.waits_on, coalesce(e.n, 0) AS n FROM tasks t
        LEFT JOIN (SELECT child, count(*) AS n FROM task_needs WHERE settled_at IS NULL GROUP BY child) e
            ON e.child = t.id
        WHERE t.waits_on <> coalesce(e.n, 0)
        """,
        "#{id} is {status} and waits on {waits_on} tasks, but {n} of its needs are open",
        mend=mending.recount_needs,
    ),
    Check(
        "stranded-child",
        "What a task has ended for is told, or noted to be told",
        """
        SELECT n.child AS id, n.parent AS other, p.status FROM task_needs n JOIN tasks p ON p.id = n.parent
        WHERE n.settled_at IS NULL AND p.status IN ('completed', 'failed', 'cancelled')
          AND NOT EXISTS (SELECT 1 FROM unsettled u WHERE u.parent = n.parent)
        """,
        "#{id} still waits for #{other}, which is {status}",
        mend=mending.tell_children,
    ),
    Check(
        "missing-parent",
        "No task waits for one that does not exist",
        """
        SELECT n.child AS id, n.parent AS other FROM task_needs n
        WHERE n.settled_at IS NULL AND NOT EXISTS (SELECT 1 FROM tasks p WHERE p.id = n.parent)
        """,
        "#{id} waits for #{other}, which does not exist; cancel #{id}, or run it again as a new task",
    ),
    Check(
        "too-early",
        "No task is in line, runs or has run with an open need",
        """
        SELECT n.child AS id, n.parent AS other, t.status FROM task_needs n JOIN tasks t ON t.id = n.child
        WHERE n.settled_at IS NULL AND t.status IN ('queued', 'running', 'completed', 'failed')
        """,
        "#{id} is {status}, although #{other}, which it needs, was not settled",
    ),
    Check(
        "started-before",
        "No task started before those it needs had ended",
        """
        SELECT n.child AS id, n.parent AS other, t.started_at, n.settled_at
        FROM task_needs n JOIN tasks t ON t.id = n.child
        WHERE n.settled_at > {plus} AND t.status IN ('running', 'completed', 'failed')
        """,
        "#{id} started at {started_at}, before #{other}, which it needs, was settled at {settled_at}",
    ),
]
