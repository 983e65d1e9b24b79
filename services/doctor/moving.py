"""What should have gone on by now, if anybody is at work. Looked at twice: a busy ledger is always in motion."""

from models.task import DUE, IN_LINE, PARKED, RUNNING, RUNNING_WITH_KEY
from services.doctor import mending
from services.doctor.check import Check, Tended

CHECKS = [
    Check(
        "due-and-waiting",
        "Nothing waits for more than 5 s that is due, not held, and whose needs have ended",
        f"SELECT id, run_at FROM tasks WHERE {DUE} AND run_at < :late ORDER BY run_at",
        "#{id} has been due since {run_at}, and has not joined its line",
        tended=Tended.by_anybody,
        confirm_s=3.0,
        mend=mending.release_due,
    ),
    Check(
        "abandoned",
        "Nothing runs long past its lease",
        f"SELECT id, worker, lease_until FROM tasks WHERE {RUNNING} AND lease_until < :lost ORDER BY lease_until",
        "#{id} runs on {worker}, whose lease ran out at {lease_until}, and nobody has taken it back",
        tended=Tended.by_anybody,
        confirm_s=2.0,
        confirm_leases=1.0,
        mend=mending.rescue_abandoned,
    ),
    Check(
        "told-to-stop",
        "Nothing waits that was told to stop",
        """
        SELECT id, status, cancel_requested_at FROM tasks
        WHERE cancel_requested_at IS NOT NULL AND status IN ('pending', 'queued')
        """,
        "#{id} is {status}, although its cancellation was asked for at {cancel_requested_at}",
        mend=mending.cancel_asked,
    ),
    Check(
        "parked-with-room",
        "Nothing is kept out of its line whose concurrency key has room",
        f"""
        SELECT parked.id, parked.key AS other, k.max_running, coalesce(busy.n, 0) AS n FROM (
            SELECT concurrency_key AS key, min(id) AS id FROM tasks WHERE {PARKED} GROUP BY concurrency_key
        ) AS parked
        JOIN key_limits k ON k.key = parked.key
        LEFT JOIN (
            SELECT concurrency_key AS key, count(*) AS n FROM (
                SELECT concurrency_key FROM tasks WHERE {RUNNING_WITH_KEY}
                UNION ALL SELECT concurrency_key FROM tasks WHERE {IN_LINE} AND concurrency_key IS NOT NULL
            ) AS going GROUP BY concurrency_key
        ) AS busy ON busy.key = parked.key
        WHERE coalesce(busy.n, 0) < k.max_running
        """,
        "#{id} is kept out of its line by its key {other!r}, of which {n} of {max_running} run or stand in line",
        tended=Tended.by_scheduler,
        confirm_s=8.0,
        mend=mending.unpark,
    ),
    Check(
        "untold",
        "An ending reaches all who wait for it within seconds",
        "SELECT parent AS id, since FROM unsettled WHERE since < :slow",
        "since {since} the ending of #{id} has not reached all that wait for it",
        tended=Tended.by_anybody,
        confirm_s=3.0,
        mend=mending.tell_rest,
    ),
    Check(
        "overdue-schedule",
        "A schedule fires within 30 s of its time",
        "SELECT id, name, due_at FROM schedules WHERE due_at IS NOT NULL AND due_at < :slow ORDER BY due_at",
        "schedule {id}, {name!r}, was due at {due_at}, and has not fired",
        tended=Tended.by_scheduler,
        confirm_s=3.0,
    ),
    Check(
        "unfollowed-run",
        "How a schedule's run ended is noted beside its slot within 30 s",
        """
        SELECT f.schedule_id AS id, f.slot AS other, f.task_id, t.status FROM fires f JOIN tasks t ON t.id = f.task_id
        WHERE f.task_id IS NOT NULL AND f.ended_at IS NULL AND t.finished_at < :slow
        """,
        "slot {other} of schedule {id} is not noted as ended, although its run #{task_id} is {status}",
        tended=Tended.by_scheduler,
        confirm_s=5.0,
        mend=mending.follow_runs,
    ),
]
