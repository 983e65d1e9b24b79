"""What waits for a person or for its time; what is moved in the line, hidden and shown again."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from models import Move, Status, now, tables, transaction
from services import tasks
from services.errors import InvalidInput, StaleTask
from services.lifecycle.release import release
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def held():
    """A task that is held because the one it needs failed."""
    parent = kit.greet()
    child = kit.greet(needs=[parent], on_parent_failure="hold")
    kit.finish(kit.take_one(parent), Move.fail)
    return tasks.get(child.id)


def test_a_held_task_stays_until_somebody_lets_it_go(held):
    assert release() == 0
    assert kit.take() == []
    assert tasks.release(held.id, "the report is enough").status is Status.queued
    (event,) = kit.events("release", held)
    assert event.before == {"status": "pending", "cancel_requested": False, "held": held.held_reason}
    assert event.after == {"status": "queued", "cancel_requested": False}
    kit.take_one(held)


def test_what_nothing_holds_cannot_be_let_go(held):
    tasks.release(held.id)
    with pytest.raises(StaleTask, match=f"#{held.id} is not held: it is queued"):
        tasks.release(held.id)


def test_a_held_task_can_be_cancelled_and_moved_in_the_line(held):
    assert tasks.reprioritise(held.id, 99).priority == 99
    assert tasks.cancel(held.id).status is Status.cancelled


def test_a_held_task_that_waits_for_others_too_goes_on_waiting():
    failing, fine = kit.greet(), kit.greet()
    child = kit.greet(needs=[failing, fine], on_parent_failure="hold")
    first, second = kit.take()
    kit.finish(first, Move.fail)
    assert tasks.release(child.id).status is Status.pending
    kit.finish(second)
    assert kit.status(child) == [Status.queued]


def test_a_held_task_stays_held_when_all_else_that_it_needs_has_ended():
    failing, fine = kit.greet(), kit.greet()
    child = kit.greet(needs=[failing, fine], on_parent_failure="hold")
    first, second = kit.take()
    kit.finish(first, Move.fail)
    kit.finish(second)
    assert (kit.status(child), kit.take()) == ([Status.pending], [])
    assert tasks.release(child.id).status is Status.queued


def test_a_retry_is_queued_when_its_time_has_come():
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.defer, run_at=now() + timedelta(hours=1))
    assert release() == 0
    kit.execute("UPDATE tasks SET run_at = :at", at=str(now()))
    assert (release(), release()) == (1, 0)
    assert kit.status(task) == [Status.queued]


def test_a_running_or_ended_task_cannot_be_moved_in_the_line():
    task = kit.greet()
    claimed = kit.take_one(task)
    with pytest.raises(StaleTask, match="is running: its priority no longer matters"):
        tasks.reprioritise(task.id, 90)
    kit.finish(claimed)
    with pytest.raises(StaleTask, match="is completed: its priority no longer matters"):
        tasks.reprioritise(task.id, 90)


@pytest.mark.parametrize("wrong", [0, 101, 1.5, "5", True, None])
def test_a_priority_that_cannot_be_is_refused(wrong):
    task = kit.greet()
    with pytest.raises(InvalidInput, match="priority: .* is not a whole number from 1 to 100"):
        tasks.reprioritise(task.id, wrong)
    assert tasks.get(task.id).priority == 50


def test_only_what_has_ended_can_be_deleted_and_only_once():
    task = kit.greet()
    with pytest.raises(StaleTask, match="is queued; cancel it before deleting it"):
        tasks.delete(task.id)
    tasks.cancel(task.id)
    assert tasks.delete(task.id).deleted_at is not None
    with pytest.raises(StaleTask, match="is already deleted"):
        tasks.delete(task.id)
    assert tasks.restore(task.id).deleted_at is None
    with pytest.raises(StaleTask, match="is not deleted"):
        tasks.restore(task.id)
    assert [e.after for e in kit.events("delete") + kit.events("restore")] == [{"deleted": True}, {"deleted": False}]


def test_waiting_for_a_task_ends_with_it():
    task = kit.greet()
    claimed = kit.take_one(task)
    waited, _ = kit.together(lambda: tasks.wait(task.id, 20), lambda: kit.finish(claimed))
    assert waited.result == {"done": True}


def test_a_wait_that_takes_too_long_says_what_the_task_waits_for():
    task = kit.greet(run_at=now() + timedelta(hours=1))
    with pytest.raises(TimeoutError, match=f"^#{task.id} has not ended within 0 s: .*{task.waiting_for}"):
        tasks.wait(task.id, 0)
    running = kit.greet()
    kit.take_one(running)
    with pytest.raises(TimeoutError, match=rf"^#{running.id} has not ended within 0\.05 s: running"):
        tasks.wait(running.id, 0.05)


@pytest.mark.parametrize("wrong", [-1, float("nan"), "5", None])
def test_a_wait_takes_a_duration(wrong):
    with pytest.raises(InvalidInput, match="^timeout: "):
        tasks.wait(kit.greet().id, wrong)


@pytest.fixture
def chatty():
    """A task with two attempts of log lines, one level after the other."""
    task = kit.greet()
    levels = ["debug", "info", "warning", "error"]
    rows = [
        {"task_id": task.id, "epoch": epoch, "seq": n, "at": now(), "level": levels[n % 4], "message": f"{epoch}.{n}"}
        for epoch in (1, 2)
        for n in range(10)
    ]
    with transaction() as session:
        session.execute(insert(tables.task_logs), rows)
    return task


def test_a_log_is_read_page_by_page_without_gap_or_repetition(chatty):
    seen, after = [], (0, -1)
    while page := tasks.logs(chatty.id, after=after, limit=7):
        seen += [line.message for line in page]
        after = (page[-1].epoch, page[-1].seq)
    assert seen == [f"{epoch}.{n}" for epoch in (1, 2) for n in range(10)]


def test_a_log_can_be_read_from_a_level_on(chatty):
    assert [line.level for line in tasks.logs(chatty.id, level="warning")] == ["warning", "error"] * 4


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("level", "warn"), ("limit", 0), ("limit", -1), ("limit", 10**9), ("limit", "5"), ("after", 7),
     ("after", (1,)), ("after", ("a", 1)), ("after", (1, 10**30))],
)  # fmt: skip
def test_a_page_of_a_log_that_cannot_be_is_refused(chatty, field, wrong):
    with pytest.raises(InvalidInput, match=f"^{field}"):
        tasks.logs(chatty.id, **{field: wrong})
