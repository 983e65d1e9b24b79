"""The doctor: a ledger broken on purpose in each way is found out, in words, and mended where that is safe."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import insert

from models import Move, Operator, Role, Status, now, tables, transaction
from models.schema import HEAD
from runtime import doctor as command
from services import doctor, folding, schedules, tasks
from services.audit import Actor, acting, acting_as
from services.errors import Forbidden, ServiceError
from services.lifecycle.batch import stamp
from services.lifecycle.needs import settle_rest
from services.lifecycle.release import release, unpark
from tests.conftest import forget, use
from tests.services import kit

AGO = timedelta(minutes=2)


@pytest.fixture
def patient(ledger: str):
    """A ledger with something of everything in it, and processes that have been at work for a while."""
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers")):
        done, failed, cut = kit.greet(), kit.greet(retries=1), kit.greet()
        kit.finish(kit.take_one(done))
        kit.finish(kit.take_one(failed), Move.defer)
        tasks.cancel(cut.id)
        kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stored(now()), id=failed.id)
        release()
        kit.finish(kit.take_one(failed), Move.fail)
        kit.greet(needs=[done, kit.greet(run_at=now() + timedelta(hours=1))], title="waits")
        for kind in ("worker", "scheduler"):
            at_work(kind)
        assert not broken()
        yield ledger


def at_work(kind: str, for_: timedelta = AGO, which: str = "a") -> None:
    row = {
        "name": f"{which} {kind}", "kind": kind, "host": "h", "pid": 1, "boot_id": "b", "types": [], "threads": 1,
        "busy": 0, "started_at": now() - for_, "last_beat_at": now() + AGO,
    }  # fmt: skip
    with transaction() as session:
        session.execute(insert(tables.workers).values(row))


def stored(at) -> str:
    return stamp(at)


def broken() -> dict[str, list[str]]:
    """What the doctor finds: the sentences of each rule that is broken."""
    return {r.check.name: [str(f) for f in r.findings] for r in doctor.examine(patience=0) if r.findings}


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
    kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stored(now() - AGO), id=task.id)
    return task.id


def abandoned() -> int:
    task = kit.take_one(kit.greet())
    kit.execute("UPDATE tasks SET lease_until = :at WHERE id = :id", at=stored(now() - AGO), id=task.id)
    return task.id


def told_to_stop() -> int:
    task = kit.greet()
    kit.execute("UPDATE tasks SET cancel_requested_at = :at WHERE id = :id", at=stored(now()), id=task.id)
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
    kit.execute("UPDATE tasks SET started_at = :at WHERE id = :id", at=stored(now() - AGO), id=child.id)
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
    kit.execute("UPDATE schedules SET due_at = :at WHERE id = :id", at=stored(now() - AGO), id=made)
    return made


def a_run() -> int:
    """A run of a schedule that has completed; returns its task."""
    task = schedules.run_now(a_schedule())
    kit.finish(kit.take_one(task))
    return task.id


def unfollowed() -> int:
    task = a_run()
    kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :id", at=stored(now() - AGO), id=task)
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


def test_every_rule_has_a_harm_that_breaks_it():
    assert sorted(harm.rule for harm in HARMS) == sorted(check.name for check in doctor.CHECKS)
    mendable = {check.name for check in doctor.CHECKS if check.mend is not None}
    assert {harm.rule for harm in HARMS if harm.mendable} == mendable


@pytest.mark.parametrize("harm", HARMS, ids=str)
def test_what_breaks_a_rule_is_found_with_its_id_and_mended_where_that_is_safe(patient, harm):
    harmed = harm.do()
    found = broken()
    assert set(found) - set(harm.also) == {harm.rule}
    assert any(str(harmed) in sentence for sentence in found[harm.rule])
    assert all(len(sentence) < 300 and "{" not in sentence for sentence in found[harm.rule])

    before = kit.scalar("SELECT count(*) FROM events")
    with acting(Actor("system", "doctor")):
        left = {r.check.name for r in doctor.repair_all(patience=0) if r.findings}
    if not harm.mendable:
        assert harm.rule in left
        return
    assert left <= set(harm.also)
    assert kit.scalar("SELECT count(*) FROM events") > before
    if harm.rule != "abandoned":  # a rescue is told as such
        event = kit.events("repair")[-1]
        assert (event.actor_kind, event.actor_id) == ("system", "doctor")
        assert event.reason


def test_where_nobody_is_at_work_or_has_only_just_begun_nothing_counts_as_late(patient):
    due_for_long(), abandoned(), a_parked_task(), overdue_schedule()
    kit.execute("UPDATE workers SET started_at = :at", at=stored(now()))
    results = doctor.examine(patience=0)
    assert not [r.check.name for r in results if r.findings]
    assert {r.skipped for r in results if r.skipped} == {
        "no worker or scheduler has been at work for ten seconds", "no scheduler has been at work for ten seconds",
    }  # fmt: skip
    at_work("worker", timedelta(days=1), "old")
    assert set(broken()) == {"due-and-waiting", "abandoned"}


def test_what_was_on_its_way_at_the_first_look_is_not_told(patient):
    task = due_for_long()
    paused = threading.Event()

    def meanwhile(_: float) -> None:
        tasks.cancel(task)
        paused.set()

    assert not [r for r in doctor.examine(waiting=meanwhile, patience=0) if r.findings]
    assert paused.is_set()


def test_a_repair_takes_an_admin(patient):
    change("UPDATE tasks SET waits_on = 5 WHERE id = :id", "pending")
    with transaction() as session:
        session.add(olga := Operator(name="olga", role=Role.operator))
        session.flush()
    with acting_as(olga), pytest.raises(Forbidden, match="admin"):
        doctor.repair_all(patience=0)
    assert set(broken()) == {"waits-on"}


def test_a_busy_ledger_raises_no_alarm(patient):
    over = threading.Event()

    def work(worker: str) -> None:
        while not over.is_set():
            parents = tasks.enqueue_many("greet", [{}] * 5, concurrency_key="k", max_running=3)
            kit.greet(needs=parents[:2], on_parent_failure="run_anyway")
            kit.greet(run_at=now() + timedelta(milliseconds=20), unique_key=worker)
            first, *others = kit.take(6, worker) or [None]
            kit.finish(others)
            if first is not None:
                kit.finish(first, Move.hand_back)
            with suppress(ServiceError):
                tasks.cancel(parents[-1])
            for chore in (release, unpark, settle_rest, folding.fold):
                chore()

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for each in workers:
        each.start()
    try:
        looks = 0
        while looks < 12 or kit.count("status = 'completed'") < 60:
            assert not broken()
            looks += 1
    finally:
        over.set()
        for each in workers:
            each.join()
    kit.assert_sound()


class TestTheCommand:
    """`python -m runtime.doctor`: exit codes 0, 1 and 2, and sentences."""

    def test_all_is_sound(self, patient, capsys):
        assert command.main([]) == 0
        assert f"The ledger is sound: {len(doctor.CHECKS)} rules" in capsys.readouterr().out

    def test_something_is_wrong_and_then_mended(self, patient, capsys):
        task = change("UPDATE tasks SET waits_on = 5 WHERE id = :id", "pending")
        change("DELETE FROM attempts WHERE task_id = :id")
        assert command.main([]) == 1
        said = capsys.readouterr().out
        assert f"#{task} is pending and waits on 5 tasks, but 1 of its needs are open" in said
        assert "mendable" in said
        assert command.main(["--repair"]) == 1, "what cannot be mended is left"
        said = capsys.readouterr().out
        assert "mended  A task waits on as many others as its open needs: 1" in said
        assert "breaks 1 of" in said

    def test_the_ledger_cannot_be_looked_at(self, patient, capsys):
        kit.execute("UPDATE alembic_version SET version_num = '0001'")
        try:
            assert command.main([]) == 2
            assert "revision 0001" in capsys.readouterr().err
        finally:
            kit.execute("UPDATE alembic_version SET version_num = :head", head=HEAD)

    def test_there_is_no_database(self, tmp_path, monkeypatch, capsys):
        use(monkeypatch, tmp_path, "postgresql+psycopg://nobody@127.0.0.1:1/none")
        assert command.main([]) == 2
        assert "cannot be looked at" in capsys.readouterr().err
        forget()
