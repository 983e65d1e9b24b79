"""Ways to break a ledger behind the services' back: one for each of the doctor's rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import insert

from models import Status, now, tables, transaction
from services import schedules
from services.lifecycle.batch import stamp
from tests.services import kit

AGO = timedelta(minutes=2)


def of(status: str) -> int:
    return kit.scalar("SELECT max(id) FROM tasks WHERE status = :status", status=status)


def change(sql: str, status: str = "completed") -> int:
    """Write behind the services' back; `:id` is the newest task of a status, which is returned."""
    which = of(status)
    kit.execute(sql, **({"id": which} if ":id" in sql else {}))
    return which


def a_parked_task() -> int:
    task = kit.greet(concurrency_key="k")
    kit.execute("UPDATE tasks SET parked = TRUE WHERE id = :id", id=task.id)
    return task.id


def due_for_long() -> int:
    task = kit.greet(run_at=now() + timedelta(hours=1))
    kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stamp(now() - AGO), id=task.id)
    return task.id


def abandoned() -> int:
    task = kit.take_one(kit.greet())
    kit.execute("UPDATE tasks SET lease_until = :at WHERE id = :id", at=stamp(now() - AGO), id=task.id)
    return task.id


def told_to_stop() -> int:
    task = kit.greet()
    kit.execute("UPDATE tasks SET cancel_requested_at = :at WHERE id = :id", at=stamp(now()), id=task.id)
    return task.id


def stranded() -> int:
    """A parent that ended without telling anybody."""
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    kit.finish(kit.take_one(parent))
    kit.execute("UPDATE task_needs SET settled_at = NULL WHERE child = :id", id=child.id)
    move(child.id, Status.queued, Status.pending, "waits_on = 1")
    return child.id


def too_early() -> int:
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    move(child.id, Status.pending, Status.queued, "waits_on = 0")
    return child.id


def started_before() -> int:
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    kit.finish(kit.take_one(parent))
    kit.finish(kit.take_one(child))
    kit.execute("UPDATE tasks SET started_at = :at WHERE id = :id", at=stamp(now() - AGO), id=child.id)
    return child.id


def missing_parent() -> int:
    child = of("pending")
    kit.execute("UPDATE task_needs SET parent = 10000 WHERE child = :id AND settled_at IS NULL", id=child)
    return child


def untold() -> int:
    at = now() - AGO
    with transaction() as session:
        session.execute(insert(tables.unsettled).values(parent=1, since=at))
    return 1


def move(task_id: int, was: Status, is_: Status, also: str) -> None:
    """As a bug in the lifecycle would: another status, and the counts with it."""
    kit.execute(f"UPDATE tasks SET status = '{is_}', {also} WHERE id = :id", id=task_id)
    for status, n in ((was, -1), (is_, 1)):
        kit.execute(
            """INSERT INTO rollup_deltas (hour, type, queue, measure, bucket, n)
               VALUES (0, 'greet', 'default', :m, 0, :n)""",
            m=status.value, n=n,
        )  # fmt: skip


def a_schedule() -> int:
    made = schedules.create("hourly", "greet", cron="0 * * * *")
    return made.id


def overdue_schedule() -> int:
    made = a_schedule()
    kit.execute("UPDATE schedules SET due_at = :at WHERE id = :id", at=stamp(now() - AGO), id=made)
    return made


def a_run() -> int:
    """A run of a schedule that has completed; returns its task."""
    task = schedules.run_now(a_schedule())
    kit.finish(kit.take_one(task))
    return task.id


def unfollowed() -> int:
    task = a_run()
    kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :id", at=stamp(now() - AGO), id=task)
    return kit.scalar("SELECT schedule_id FROM tasks WHERE id = :id", id=task)


def twice_a_slot() -> int:
    task = a_run()
    kit.execute(
        """UPDATE tasks SET schedule_id = (SELECT schedule_id FROM tasks WHERE id = :id),
            slot = (SELECT slot FROM tasks WHERE id = :id) WHERE id = 1""",
        id=task,
    )
    return kit.scalar("SELECT schedule_id FROM tasks WHERE id = :id", id=task)


def slot_of_another() -> int:
    task = a_run()
    kit.execute("UPDATE tasks SET slot = 'another' WHERE id = :id", id=task)
    return kit.scalar("SELECT schedule_id FROM tasks WHERE id = :id", id=task)


def left_over(table: str, column: str) -> Callable[[], int]:
    def leave() -> int:
        which = f"(SELECT min({column}) FROM {table})"
        kit.execute(f"UPDATE {table} SET {column} = 7777 WHERE {column} = {which}")
        return 7777

    return leave


@dataclass
class Harm:
    """One way to break a ledger, the rule that says so, and whether that can be mended."""

    rule: str
    do: Callable[[], int]
    mendable: bool = False
    also: tuple[str, ...] = ()  # rules that are broken with it

    def __str__(self) -> str:
        return self.rule


HARMS = [
    Harm("completed-once", lambda: change("DELETE FROM attempts WHERE task_id = :id")),
    Harm(
        "completed-alone",
        lambda: change("UPDATE attempts SET outcome = 'completed' WHERE task_id = :id AND epoch = 1", "failed"),
    ),
    Harm(
        "attempt-order",
        lambda: change("UPDATE attempts SET epoch = 9 WHERE task_id = :id"),
        also=("completed-once", "completed-alone"),
    ),
    Harm(
        "failed-with-reason",
        lambda: change("UPDATE attempts SET outcome = 'handed_back' WHERE task_id = :id AND epoch = 2", "failed"),
    ),
    Harm("tries-in-bounds", lambda: change("UPDATE tasks SET max_tries = 1 WHERE id = :id", "failed")),
    Harm(
        "losses-in-bounds",
        lambda: change("UPDATE tasks SET losses = 3 WHERE id = :id", "pending"),
        also=("counted-attempts",),
    ),
    Harm("counted-attempts", lambda: change("UPDATE tasks SET losses = 1 WHERE id = :id", "failed")),
    Harm("attempts-counted", lambda: change("UPDATE tasks SET tries = 1 WHERE id = :id", "failed")),
    Harm("waits-on", lambda: change("UPDATE tasks SET waits_on = 5 WHERE id = :id", "pending"), mendable=True),
    Harm("stranded-child", stranded, mendable=True),
    Harm("missing-parent", missing_parent),
    Harm("too-early", too_early, also=("waits-on",)),
    Harm("started-before", started_before),
    Harm("due-and-waiting", due_for_long, mendable=True),
    Harm("abandoned", abandoned, mendable=True),
    Harm("told-to-stop", told_to_stop, mendable=True),
    Harm("parked-with-room", a_parked_task, mendable=True),
    Harm("untold", untold, mendable=True),
    Harm("overdue-schedule", overdue_schedule),
    Harm("unfollowed-run", unfollowed, mendable=True),
    Harm("counts", lambda: change("UPDATE tasks SET type = 'count' WHERE id = :id") and "count", mendable=True),
    Harm("body", lambda: change("DELETE FROM task_bodies WHERE task_id = :id")),
    Harm(
        "queue-row",
        lambda: kit.execute("DELETE FROM queues WHERE name = 'default'") or "default",
        mendable=True,
    ),
    Harm("left-over-body", left_over("task_bodies", "task_id"), mendable=True, also=("body",)),
    Harm("left-over-attempt", left_over("attempts", "task_id"), mendable=True, also=("completed-once",)),
    Harm("left-over-need", left_over("task_needs", "child"), mendable=True, also=("waits-on",)),
    Harm("slot-once", twice_a_slot, also=("slot-of-task",)),
    Harm("slot-of-task", slot_of_another),
]  # fmt: skip
