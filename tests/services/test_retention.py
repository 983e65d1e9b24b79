"""What was kept long enough goes, with all that belongs to it; nothing else does."""

from datetime import timedelta

import pytest
from sqlalchemy import inspect, update

from models import Event, InboxItem, Move, OperatorSession, Role, Status, Task, TaskLog, Worker, now, transaction
from models.db import engine, is_postgresql
from services import artifacts, folding, operators, queues, removal, retention, search, sessions, stats, tasks, workers
from settings import settings
from tests.services import kit

LONG_AGO = timedelta(days=91)


def aged(*old: Task, by: timedelta = LONG_AGO) -> None:
    """Let these tasks have finished so long ago."""
    moment = (now() - by).strftime("%Y-%m-%d %H:%M:%S.%f") + ("+00:00" if is_postgresql() else "")
    for task in old:
        kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :i", at=moment, i=task.id)


def done(**options) -> Task:
    """A completed task."""
    task = kit.greet(priority=100, **options)
    kit.finish(kit.take_one(task))
    return task


def purge_all() -> int:
    total = 0
    while n := retention.purge():
        total += n
    return total


def rows_about(task_id: int) -> dict[str, int]:
    """How many rows of each table speak of this task."""
    columns = ("task_id", "child", "parent", "id")
    found = {}
    for table in ("tasks", "task_bodies", "task_search", "attempts", "task_logs", "artifacts", "inbox", "unsettled"):
        names = {c["name"] for c in inspect(engine()).get_columns(table)}
        column = "id" if table == "tasks" else next(c for c in columns if c in names)
        found[table] = kit.scalar(f"SELECT count(*) FROM {table} WHERE {column} = :i", i=task_id)
    found["task_needs"] = kit.scalar("SELECT count(*) FROM task_needs WHERE child = :i OR parent = :i", i=task_id)
    return {table: n for table, n in found.items() if n}


def test_an_old_task_goes_with_everything_that_belongs_to_it(core):
    parent = done()
    task = kit.greet(needs=[parent])
    claimed = kit.take_one(task)
    file = artifacts.save("a.csv", b"1", task=task.id, epoch=claimed.epoch)
    path = artifacts.open_local(file.id)
    kit.finish(claimed)
    with transaction() as session:
        session.add(InboxItem(operator_id=1, task_id=task.id))
        session.add(TaskLog(task_id=task.id, epoch=1, seq=1, at=now(), message="hello"))
    search.index()
    assert set(rows_about(task.id)) == {
        "tasks", "task_bodies", "task_search", "attempts", "task_logs", "artifacts", "inbox", "task_needs",
    }  # fmt: skip
    aged(task)
    assert purge_all() == 1
    assert rows_about(task.id) == {}
    assert not path.exists()
    assert search.ids(search.TaskFilter(text="greet")) == [parent.id]
    assert rows_about(parent.id)


def test_what_is_not_old_stays(core):
    finished, waiting, running = done(), kit.greet(), kit.greet()
    aged(finished, by=timedelta(days=settings().keep_finished_days) - timedelta(minutes=1))
    kit.execute("UPDATE tasks SET created_at = '2020-01-01 00:00:00.000000' WHERE id = :i", i=waiting.id)
    assert purge_all() == 0
    assert kit.status(finished, waiting, running)


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.stop])
def test_every_ending_grows_old(core, move):
    task = kit.greet()
    kit.finish(kit.take_one(task), move)
    aged(task)
    assert purge_all() == 1
    assert kit.count() == 0


def test_what_a_live_task_needs_is_kept_until_that_has_ended(core):
    parent = done()
    child = kit.greet(needs=[parent])
    held = kit.greet(needs=[parent], run_at=now() + timedelta(days=1))
    aged(parent)
    assert purge_all() == 0
    kit.finish(kit.take_one(child))
    assert purge_all() == 0
    tasks.cancel(held.id)
    assert purge_all() == 1
    assert rows_about(parent.id) == {}
    assert kit.count() == 2


def test_the_counts_follow(core):
    old = [done() for _ in range(3)]
    aged(*old[:2])
    purge_all()
    assert stats.by_status()[Status.completed] == 1


def test_deleted_tasks_grow_old_like_others(core):
    task = done()
    tasks.delete(task.id)
    aged(task)
    assert purge_all() == 1


def test_a_batch_is_no_larger_than_asked_and_begins_with_the_oldest(core):
    old = [done() for _ in range(5)]
    for n, task in enumerate(old):
        aged(task, by=LONG_AGO + timedelta(days=n))
    assert retention.purge_tasks(2) == 2
    assert [t.id for t in old if rows_about(t.id)] == [t.id for t in old[:3]]


def test_many_log_lines_go_a_few_at_a_time_each_task_with_all_of_its_own(core, monkeypatch):
    monkeypatch.setattr(removal, "LOG_BATCH", 10)
    gone = []  # lines, by transaction

    def note(connection, cursor, statement, *_) -> None:
        if statement.startswith("DELETE FROM task_logs"):
            gone.append(cursor.rowcount)

    for n, lines in enumerate((0, 4, 6, 25, 3, 0, 8)):
        task = done()
        with transaction() as session:
            session.add_all(TaskLog(task_id=task.id, epoch=1, seq=i, at=now(), message="x") for i in range(lines))
        aged(task, by=LONG_AGO - timedelta(seconds=n))
    with kit.hooked("after_cursor_execute", note):
        assert retention.purge_tasks() == 7
    assert gone == [10, 25, 3, 8]
    assert kit.scalar("SELECT count(*) FROM task_logs") == 0


def purge_until_empty(n: int) -> int:
    """A process's share."""
    total = 0
    while done_now := retention.purge_tasks(7):
        total += done_now
    return total


def test_many_processes_purge_each_task_once(core, crowd):
    ids = tasks.enqueue_many("greet", [{}] * 200)
    kit.run_all()
    search.index()
    aged(*(tasks.get(i) for i in ids))
    assert sum(crowd.do(purge_until_empty, processes=4)) == 200
    assert kit.count() == 0
    assert kit.scalar("SELECT count(*) FROM task_bodies") == 0


def test_events_are_kept_for_as_long_as_the_settings_say(core):
    kit.greet()
    queues.pause("default", "why")
    with transaction() as session:
        for days in (366, 364):
            session.add(Event(at=now() - timedelta(days=days), actor_kind="api", verb="old", entity="task"))
    assert purge_all() == 1
    assert len(kit.events("old")) == len(kit.events("pause")) == 1


def test_old_hours_go_and_gauges_stay(core):
    kit.greet()
    while folding.fold():
        pass
    this_hour = int(now().timestamp()) // 3600
    for hour in (this_hour, this_hour - 24 * 399, this_hour - 24 * 401, this_hour - 24 * 900):
        kit.execute("INSERT INTO rollups VALUES (:h, 'greet', 'default', 'completed', 0, 1)", h=hour)
    assert purge_all() == 2
    ours = "SELECT count(*) FROM rollups WHERE hour > 0 AND type = 'greet'"
    hours = kit.scalar(ours), kit.scalar("SELECT min(hour) FROM rollups")
    assert hours == (2, 0)
    assert stats.by_status()[Status.queued] == 1


def test_processes_that_stopped_a_week_ago_are_forgotten(core):
    names = [workers.register() for _ in range(4)]
    times = {0: (8, 8), 1: (6, 6), 2: (None, 8), 3: (None, 0)}  # days since the stop and since the last beat
    with transaction() as session:
        for n, (stopped, beat) in times.items():
            row = session.get_one(Worker, names[n])
            row.stopped_at = None if stopped is None else now() - timedelta(days=stopped)
            row.last_beat_at = now() - timedelta(days=beat)
    assert purge_all() == 2
    assert kit.scalar("SELECT count(*) FROM workers") == 2
    assert [w.name for w in workers.alive()] == [names[3]]


def test_files_without_a_row_go_at_last(core, monkeypatch):
    artifacts.store("lost.csv", b"1")
    kept = artifacts.save("kept.csv", b"1")
    monkeypatch.setattr(artifacts.sweep, "__defaults__", (timedelta(seconds=-1),))
    assert purge_all() == 1
    assert artifacts.read(kept.id) == b"1"


def test_a_look_at_nothing_old_takes_no_write_lock(core):
    if core == "postgresql":
        pytest.skip("PostgreSQL has no single write lock")
    done()
    with engine().connect() as other:
        other.exec_driver_sql("UPDATE tasks SET title = title")  # holds the only write lock
        assert retention.purge() == 0
        other.rollback()


def test_sign_ins_that_ran_out_a_week_ago_are_forgotten_and_live_ones_stay(core):
    ada = operators.create("ada", Role.admin, "correct horse battery")
    fresh = sessions.redeem(sessions.link(ada.id), None, None)
    sessions.redeem(sessions.link(ada.id), None, None)
    with transaction() as session:
        others = OperatorSession.id != sessions.check(fresh).id
        session.execute(update(OperatorSession).where(others).values(expires_at=now() - timedelta(days=8)))
    assert retention.purge_sessions() == 3  # both links and the other sign-in
    assert sessions.check(fresh) is not None
    assert retention.purge_sessions() == 0
