"""What needs a person is found: silent and dead processes, stuck tasks, lines that nobody serves."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from models import Move, now, tables, transaction
from services import attention, queues, tasks, workers
from services.attention import Trouble
from tests.services import kit


def shifted(column: str, seconds: float, where: str = "TRUE", table: str = "tasks") -> None:
    """Let a time be so long ago."""
    moment = now() - timedelta(seconds=seconds)
    with transaction() as session:
        session.execute(update(getattr(tables, table)).where(text(where)).values({column: moment}))


def test_a_worker_that_beats_is_alive_and_one_that_ceased_to_is_silent(core):
    quick, slow = workers.register(types=["greet"]), workers.register(types=["greet"])
    shifted("last_beat_at", 5, f"name = '{slow}'", "workers")
    found = attention.processes()
    assert [one.name for one in found.of("worker")] == [quick]
    assert [one.name for one in found.silent] == [slow]
    workers.beat(slow)
    assert attention.processes().silent == []


def test_a_scheduler_beats_less_often_and_is_not_silent_so_soon(core):
    name = workers.register(kind="scheduler")
    shifted("last_beat_at", 20, f"name = '{name}'", "workers")
    assert [one.name for one in attention.processes().of("scheduler")] == [name]
    shifted("last_beat_at", 31, f"name = '{name}'", "workers")
    assert [one.name for one in attention.processes().silent] == [name]


def test_a_process_that_died_is_told_from_one_that_ended(core):
    ended, died = workers.register(), workers.register()
    workers.goodbye(ended, "asked to stop")
    workers.report_death(os.getpid(), "its process (worker 1) was ended by SIGKILL")
    found = attention.processes()
    assert [one.name for one in found.died] == [died]
    assert found.alive == found.silent == []
    shifted("stopped_at", 16 * 60, table="workers")
    assert attention.processes().died == []


@pytest.mark.parametrize(
    ("values", "trouble"),
    [
        ({"lease_until": 30}, Trouble.abandoned),
        ({"cancel_requested_at": 30}, Trouble.deaf),
        ({"started_at": 100, "timeout_s": 60.0}, Trouble.overdue),
        ({"progress_at": 700}, Trouble.quiet),
    ],
)
def test_a_running_task_with_a_trouble_is_stuck(core, values, trouble):
    task, well = kit.greet(), kit.greet()
    kit.take(2)
    assert attention.stuck(attention.running()) == []
    for column, value in values.items():
        if column == "timeout_s":
            kit.execute("UPDATE tasks SET timeout_s = :t WHERE id = :i", t=value, i=task.id)
        else:
            shifted(column, value, f"id = {task.id}")
    (found,) = attention.stuck(attention.running())
    assert (found.task_id, found.trouble, found.worker) == (task.id, trouble, "w")
    assert {row.id for row in attention.running()} == {task.id, well.id}


def test_a_task_within_its_graces_is_not_stuck(core):
    kit.greet()
    kit.take(1)
    shifted("cancel_requested_at", 3)
    shifted("started_at", 61)
    kit.execute("UPDATE tasks SET timeout_s = 60")
    assert attention.stuck(attention.running()) == []


def test_a_line_that_no_live_worker_serves_is_named_with_how_many_wait(core):
    kit.greet(queue="mail")
    kit.greet(queue="mail")
    kit.greet()
    assert attention.unserved(queues.list_queues(), []) == [("default", 1), ("mail", 2)]
    workers.register(queues=["default"], types=["greet"])
    live = attention.processes().alive
    assert attention.unserved(queues.list_queues(), live) == [("mail", 2)]
    workers.register(types=["greet"])
    assert attention.unserved(queues.list_queues(), attention.processes().alive) == []


def test_a_type_that_no_live_worker_knows_is_named_with_how_many_wait(core):
    kit.greet()
    tasks.enqueue_many("count", [{}] * 3)
    workers.register(types=["greet"])
    assert attention.unknown_types(attention.processes().alive) == [("count", 3)]


def test_tasks_whose_time_came_and_that_wait_on_are_noticed(core):
    kit.greet(run_at=now() + timedelta(hours=1))
    assert attention.late_release() is None
    shifted("run_at", 5)
    assert attention.late_release() is None
    shifted("run_at", 60)
    assert attention.late_release() is not None


def test_what_has_been_held_for_long_is_noticed(core):
    parent = kit.greet()
    first, second = (kit.greet(needs=[parent], on_parent_failure="hold") for _ in range(2))
    kit.greet(run_at=now() + timedelta(hours=1))
    kit.finish(kit.take_one(parent), Move.fail)
    assert attention.held() is None, "not yet for long"
    shifted("updated_at", 20 * 60)
    shifted("updated_at", 30 * 60, f"id = {second.id}")
    found = attention.held()
    assert found is not None
    assert (found.many, found.task_id, found.reason) == (2, second.id, f"needs #{parent.id}, which failed")
    assert round((now() - found.since).total_seconds() / 60) == 30
    tasks.release(second.id)
    found = attention.held()
    assert found is not None
    assert (found.many, found.task_id) == (1, first.id)
    tasks.cancel(first.id)
    assert attention.held() is None


def test_a_change_of_the_workers_version_is_a_deploy(core):
    def started(version: str, minutes_ago: float) -> None:
        name = workers.register()
        kit.execute("UPDATE workers SET code_version = :v WHERE name = :n", v=version, n=name)
        shifted("started_at", minutes_ago * 60, f"name = '{name}'", "workers")

    since = now() - timedelta(hours=1)
    started("v1", 50)
    assert attention.deploys(since) == [], "the first version is no change"
    started("v1", 90)
    started("v2", 30)
    started("v2", 29)
    started("v3", 10)
    assert [(d.version, round((now() - d.at).total_seconds() / 60)) for d in attention.deploys(since)] == [
        ("v2", 30), ("v3", 10),
    ]  # fmt: skip
    assert [d.version for d in attention.deploys(now() - timedelta(minutes=15))] == ["v3"]
