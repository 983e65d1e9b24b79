"""One live task a type and unique key."""

import pytest
import structlog

from models import Move, Status, transaction
from services import tasks
from services.errors import InvalidInput
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


def test_twenty_threads_with_one_key_make_one_task():
    found = kit.together(*[lambda: kit.greet(unique_key="porto")] * 20)
    assert len({task.id for task in found}) == 1
    assert sorted(task.deduplicated for task in found) == [False] + [True] * 19
    assert kit.count() == 1


def test_a_key_is_free_again_whatever_its_task_came_to():
    seen = set()
    for move in (Move.complete, Move.fail, Move.stop):
        task = kit.greet(unique_key="porto")
        assert kit.greet(unique_key="porto").id == task.id
        claimed = kit.take_one(task)
        assert kit.greet(unique_key="porto").id == task.id, "it runs"
        kit.finish(claimed, move)
        seen.add(task.id)
    tasks.cancel(kit.greet(unique_key="porto").id)
    assert not kit.greet(unique_key="porto").deduplicated
    assert len(seen) == 3


def test_a_key_is_kept_through_a_retry():
    task = kit.greet(unique_key="porto")
    kit.finish(kit.take_one(task), Move.defer)
    assert kit.greet(unique_key="porto").deduplicated


def test_keys_are_as_they_are_written_and_belong_to_their_type():
    made = [kit.greet(unique_key=key) for key in ("porto", "Porto", "porto ", "pörto", "po%to", "po_to", "' OR 1=1 --")]
    made.append(tasks.enqueue("count", {}, unique_key="porto"))
    assert not any(task.deduplicated for task in made)


def test_other_arguments_under_one_key_are_warned_of_and_not_taken():
    first = tasks.enqueue("greet", {"name": "ü", "ratio": 0.1}, unique_key="k")
    with structlog.testing.capture_logs() as logs:
        assert tasks.enqueue("greet", {"name": "ü", "ratio": 0.1}, unique_key="k").deduplicated
    assert not [entry for entry in logs if entry["log_level"] == "warning"]
    with structlog.testing.capture_logs() as logs:
        second = tasks.enqueue("greet", {"name": "other"}, unique_key="k")
    assert [entry["task"] for entry in logs if entry["log_level"] == "warning"] == [first.id]
    assert second.body.payload["name"] == "ü"


def test_a_key_is_taken_within_the_same_transaction():
    with transaction():
        first = kit.greet(unique_key="porto")
        assert kit.greet(unique_key="porto").id == first.id
    assert kit.count() == 1


def test_a_deduplicated_task_into_a_new_queue_leaves_that_queue_served():
    kit.greet(unique_key="porto")
    kit.together(*[lambda: kit.greet(unique_key="porto", queue="new")] * 5)
    later = kit.greet(queue="new", priority=99)
    kit.take_one(later)


def test_a_key_that_frees_itself_meanwhile_makes_a_new_task():
    task = kit.greet(unique_key="porto")
    claimed = kit.take_one(task)
    outcomes = kit.together(lambda: kit.greet(unique_key="porto"), lambda: kit.finish(claimed))
    assert outcomes[0].status in (Status.queued, Status.running, Status.completed)
    assert kit.count() in (1, 2)


def test_a_key_is_for_one_task():
    with pytest.raises(InvalidInput, match="unique_key: is for one task; enqueue them one by one"):
        tasks.enqueue_many("greet", [{}, {}], unique_key="k")
    assert kit.count() == 0
