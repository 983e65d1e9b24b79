"""A task that has not started says why, in words."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models import Move, Status, Task, now, waiting
from services import queues, tasks, workers
from tests.services import kit


@pytest.fixture
def core(ledger: str) -> Iterator[str]:
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers")):
        yield ledger


@pytest.fixture
def served(core: str) -> str:
    """With a live worker that serves every queue and knows both types. The value is the worker's name."""
    return workers.register(types=["greet", "count"])


def why(task: Task) -> str | None:
    return tasks.get(task.id).waiting_for


def test_a_task_names_what_it_waits_for(core):
    parents = [kit.greet() for _ in range(3)]
    child = kit.greet(needs=parents)
    assert why(child) == f"waits for #{parents[0].id} and 2 more"
    kit.finish(kit.take(2))
    assert why(child) == f"waits for #{parents[2].id}"


def test_a_held_task_says_what_holds_it(core):
    parent = kit.greet()
    child = kit.greet(needs=[parent], on_parent_failure="hold")
    kit.finish(kit.take_one(parent), Move.fail)
    assert why(child) == f"held: needs #{parent.id}, which failed"


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 7, 5, 23, 5, tzinfo=UTC), "23:05 UTC"),
        (datetime(2026, 7, 6, 0, 5, tzinfo=UTC), "6 Jul 00:05 UTC"),
        (datetime(2027, 1, 2, 9, 0, tzinfo=UTC), "2 Jan 2027 09:00 UTC"),
    ],
)
def test_a_time_is_said_with_its_date_only_when_it_is_not_today(moment, said, monkeypatch):
    monkeypatch.setattr(waiting, "now", lambda: datetime(2026, 7, 5, 12, 0, tzinfo=UTC))
    assert waiting.at(moment) == said


def test_a_reader_in_another_zone_reads_their_own_time(monkeypatch):
    monkeypatch.setattr(waiting, "now", lambda: datetime(2026, 7, 5, 12, 0, tzinfo=UTC))
    late = datetime(2026, 7, 5, 23, 5, tzinfo=UTC)
    assert waiting.at(late, ZoneInfo("Europe/Lisbon")) == "6 Jul 00:05"


def test_a_task_for_later_says_when(core):
    later = now() + timedelta(days=2)
    assert why(kit.greet(run_at=later)) == f"starts at {waiting.at(later)}"


def test_a_retry_says_which_and_when(core):
    task = kit.greet(retries=3)
    again_at = now() + timedelta(hours=30)
    kit.finish(kit.take_one(task), Move.defer, run_at=again_at)
    assert why(task) == f"retry 1 of 3 at {waiting.at(again_at)}"


def test_what_is_due_joins_the_line_soon(core):
    task = kit.greet(run_at=now() + timedelta(hours=1))
    kit.execute("UPDATE tasks SET run_at = created_at")
    assert why(task) == "its time has come: it joins the line within a second"


def test_a_paused_queue_says_why_it_is_paused(served):
    task = kit.greet()
    queues.pause("default", "month end close")
    assert why(task) == "queue default is paused: month end close"


def test_a_full_queue_says_how_many_run(served):
    several = [kit.greet() for _ in range(4)]
    queues.set_max_running("default", 3)
    assert len(kit.take(10)) == 3
    assert why(several[3]) == "limit of queue default is reached (3 running)"


def test_a_full_key_says_how_many_run(served):
    several = [kit.greet(concurrency_key="customer-7", max_running=2) for _ in range(4)]
    assert len(kit.take(10)) == 2
    assert why(several[2]) == "key customer-7 is at its limit (2 running)"


def test_nobody_serves_its_queue(core):
    task = tasks.enqueue("count", {}, queue="gpu")
    workers.register(queues=["default"], types=["count"])
    assert why(task) == "no live worker serves queue gpu"


def test_nobody_knows_its_type(core):
    workers.register(types=["greet"])
    assert why(tasks.enqueue("count", {})) == "no live worker knows type count"


def test_who_knows_its_type_does_not_serve_its_queue(core):
    workers.register(queues=["default"], types=["count"])
    workers.register(queues=["numbers"], types=["greet"])
    assert why(tasks.enqueue("count", {})) == "no live worker that serves queue numbers knows type count"


@pytest.mark.parametrize(
    "change",
    [
        "stopped_at = last_beat_at",
        "draining_at = last_beat_at",
        "kind = 'scheduler'",
        "last_beat_at = '2026-01-01 00:00:00.000000'",
    ],
)
def test_a_worker_that_takes_nothing_is_not_counted_on(served, change):
    task = kit.greet()
    assert why(task) == "next in line"
    kit.execute(f"UPDATE workers SET {change}")
    assert why(task) == "no live worker serves queue default"


def test_its_place_counts_those_of_higher_priority_and_those_before_it(served):
    low, first, second = kit.greet(priority=10), kit.greet(), kit.greet()
    urgent = kit.greet(priority=90)
    tasks.enqueue("count", {}, priority=100)  # another queue
    places = ["next in line", "2nd in line", "3rd in line", "4th in line"]
    assert [why(t) for t in (urgent, first, second, low)] == places


def test_places_are_counted_up_to_ten_thousand(served):
    ids = tasks.enqueue_many("greet", [{}] * 10_002)
    assert tasks.get(ids[9_999]).waiting_for == "10,000th in line"
    assert tasks.get(ids[10_000]).waiting_for == "beyond 10,000th in line"


@pytest.mark.parametrize(
    ("number", "said"), [(11, "11th"), (12, "12th"), (21, "21st"), (113, "113th"), (1003, "1,003rd")]
)
def test_ordinals_are_english(number, said):
    assert waiting._in_words(number) == f"{said} in line"


def test_what_runs_or_has_ended_waits_for_nothing(served):
    task = kit.greet()
    claimed = kit.take_one(task)
    assert why(task) is None
    kit.finish(claimed)
    assert why(task) is None
    assert kit.status(task) == [Status.completed]
