"""Attempts: how a task ended is what exactly one of them says."""

from services.doctor.check import Check

CHECKS = [
    Check(
        "completed-once",
        "A completed task has one completed attempt, by its current epoch",
        """
        SELECT t.id, t.epoch FROM tasks t WHERE t.status = 'completed' AND NOT EXISTS
            (SELECT 1 FROM attempts a WHERE a.task_id = t.id AND a.epoch = t.epoch AND a.outcome = 'completed')
        """,
        "#{id} is completed, but its attempt {epoch} is not on record as completed",
    ),
    Check(
        "completed-alone",
        "Only the last attempt of a completed task has completed",
        """
        SELECT t.id, a.epoch AS other, t.status, t.epoch FROM attempts a JOIN tasks t ON t.id = a.task_id
        WHERE a.outcome = 'completed' AND (t.status <> 'completed' OR t.epoch <> a.epoch)
        """,
        "attempt {other} of #{id} has completed, but the task is {status} at attempt {epoch}",
    ),
    Check(
        "attempt-order",
        "No attempt has ended that has not begun",
        """
        SELECT t.id, a.epoch AS other, t.status, t.epoch FROM attempts a JOIN tasks t ON t.id = a.task_id
        WHERE a.epoch > t.epoch OR (a.epoch = t.epoch AND t.status = 'running')
        """,
        "attempt {other} of #{id} has ended, but the task is {status} at attempt {epoch}",
    ),
    Check(
        "failed-with-reason",
        "A failed task has an attempt that failed or was lost",
        """
        SELECT t.id, t.epoch FROM tasks t WHERE t.status = 'failed' AND t.losses = 0 AND NOT EXISTS
            (SELECT 1 FROM attempts a WHERE a.task_id = t.id AND a.epoch = t.epoch AND a.outcome IN ('failed', 'lost'))
        """,
        "#{id} has failed, but none of its attempts says so",
    ),
    Check(
        "tries-in-bounds",
        "No task has more tries than it may, and none with all of them spent goes on",
        """
        SELECT id, status, tries, max_tries FROM tasks
        WHERE tries > max_tries OR (tries >= max_tries AND status IN ('pending', 'queued', 'running'))
        """,
        "#{id} is {status} after {tries} tries of {max_tries}",
    ),
    Check(
        "losses-in-bounds",
        "No task goes on that has taken down as many workers as it may",
        """
        SELECT id, status, losses FROM tasks
        WHERE losses >= :max_losses AND status IN ('pending', 'queued', 'running')
        """,
        "#{id} is {status} after {losses} losses; MAX_LOSSES is to give it up (or was lowered since)",
    ),
    Check(
        "counted-attempts",
        "A task's tries and losses are attempts on record",
        """
        SELECT t.id, t.tries, t.losses, count(a.epoch) AS n FROM tasks t
        LEFT JOIN attempts a ON a.task_id = t.id
        WHERE t.tries > 0 OR t.losses > 0
        GROUP BY t.id, t.tries, t.losses HAVING t.tries + t.losses > count(a.epoch)
        """,
        "#{id} counts {tries} tries and {losses} losses, but has {n} attempts on record",
    ),
    Check(
        "attempts-counted",
        "Every attempt that failed is counted as a try, and every lost one as a loss",
        """
        SELECT * FROM (
            SELECT t.id, t.tries, t.losses,
                count(CASE WHEN a.outcome IN ('failed', 'retried') THEN 1 END) AS failed,
                count(CASE WHEN a.outcome = 'lost' THEN 1 END) AS lost
            FROM attempts a JOIN tasks t ON t.id = a.task_id
            WHERE a.outcome IN ('failed', 'retried', 'lost') AND t.created_at > :kept
            GROUP BY t.id, t.tries, t.losses
        ) AS counted
        WHERE (failed > tries OR lost > losses) AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.entity = 'task' AND e.entity_id = CAST(counted.id AS VARCHAR(20))
            AND e.verb = 'rerun')
        """,
        "#{id} has {failed} failed and {lost} lost attempts, but counts {tries} tries and {losses} losses",
    ),
]
