"""No more than allowed run at once, over all workers; and nothing that is allowed starves."""

import pytest

from models import Move
from services import tasks
from services.lifecycle.release import unpark
from tests.services import kit
from tests.services.crowd import work_until_done

pytestmark = pytest.mark.usefixtures("core")

RUNNING = "SELECT count(*) FROM tasks WHERE status = 'running' AND "


def limit(queue, most):
    kit.execute("UPDATE queues SET max_running = :most WHERE name = :queue", most=most, queue=queue)


def test_a_queues_limit_holds_over_four_processes(crowd):
    tasks.enqueue_many("greet", [{}] * 60, queue="mail")
    tasks.enqueue_many("greet", [{}] * 60)
    limit("mail", 3)
    highest = crowd.do(work_until_done, 4, RUNNING + "queue = 'mail'", processes=4)
    assert max(highest) <= 3
    assert kit.count("status = 'completed'") == 120


def test_a_keys_limit_holds_over_four_processes_and_two_queues(crowd):
    for queue in ("mail", "post"):
        tasks.enqueue_many("greet", [{}] * 40, queue=queue, concurrency_key="smtp", max_running=2)
        tasks.enqueue_many("greet", [{}] * 20, queue=queue)
    highest = crowd.do(work_until_done, 5, RUNNING + "concurrency_key = 'smtp'", processes=4)
    assert max(highest) <= 2
    assert kit.count("status = 'completed'") == 120


def test_several_keys_in_one_claim_do_not_block_one_another(crowd):
    for n in range(60):
        kit.greet(concurrency_key=f"k{n % 4}", queue=f"q{n % 3}")
    highest = crowd.do(work_until_done, 8, RUNNING + "concurrency_key = 'k1'", processes=4)
    assert max(highest) <= 1


def test_an_ending_in_a_limited_queue_rings_for_what_waits_there(rings):
    tasks.enqueue_many("greet", [{}] * 2)
    limit("default", 1)
    (first,) = kit.take()
    rings.clear()
    kit.finish(first)
    assert rings == ["default"]
    (second,) = kit.take()
    limit("default", None)
    kit.greet()
    kit.take()  # which sees that there is no limit any more
    rings.clear()
    kit.finish(second)
    assert rings == []


def test_a_full_queue_gives_again_when_one_of_its_tasks_ends():
    ids = tasks.enqueue_many("greet", [{}] * 3)
    limit("default", 1)
    (first,) = kit.take()
    assert kit.take() == []
    kit.finish(first, Move.hand_back)
    (again,) = kit.take()
    assert again.id == ids[0]
    kit.finish(again)
    assert [c.id for c in kit.take()] == [ids[1]]


def test_a_full_key_does_not_keep_others_waiting():
    """Also when hundreds of its tasks stand before them."""
    blocked = tasks.enqueue_many("greet", [{}] * 500, priority=90, concurrency_key="k", max_running=1)
    free = tasks.enqueue_many("greet", [{}] * 3)
    assert [c.id for c in kit.take(4)] == [blocked[0], *free]


def test_a_long_blocked_line_is_passed_in_few_steps():
    tasks.enqueue_many("greet", [{}] * 3000, priority=90, concurrency_key="k", max_running=1)
    free = kit.greet()
    kit.take(1)
    statements = []
    with kit.watching(statements):
        kit.take_one(free)
    assert len(statements) < 100


def test_what_waits_for_a_key_comes_back_in_order_of_priority():
    kit.greet(concurrency_key="k")
    (running,) = kit.take()
    wanted = [kit.greet(concurrency_key="k", priority=p, queue=f"q{p % 2}").id for p in (10, 90, 50, 91)]
    assert kit.take() == []
    got = []
    while True:
        kit.finish(running)
        claimed = kit.take()
        if not claimed:
            break
        (running,) = claimed
        got.append(running.id)
    assert got == [wanted[3], wanted[1], wanted[2], wanted[0]]


@pytest.mark.parametrize("move", [Move.complete, Move.fail, Move.defer, Move.hand_back])
def test_every_ending_makes_room_for_the_next(move):
    first, second = (kit.greet(concurrency_key="k", priority=p) for p in (60, 50))
    (claimed,) = kit.take()
    assert claimed.id == first.id
    assert kit.take() == []
    assert tasks.get(second.id).parked
    kit.finish(claimed, move)
    assert not tasks.get(second.id).parked


def test_a_raised_limit_lets_what_is_parked_back_into_line():
    for _ in range(5):
        kit.greet(concurrency_key="k")
    kit.take()
    assert (unpark(), kit.take()) == (0, [])
    kit.greet(concurrency_key="k", max_running=3)
    assert unpark() == 2
    assert len(kit.take()) == 2


def test_a_limit_once_given_stays_where_later_tasks_give_none():
    kit.greet(concurrency_key="k", max_running=2)
    kit.greet(concurrency_key="k")
    assert len(kit.take()) == 2


def test_a_cancelled_parked_task_leaves_its_place_to_the_next():
    tasks_ = [kit.greet(concurrency_key="k") for _ in range(3)]
    (claimed,) = kit.take()
    tasks.cancel(tasks_[1].id)
    kit.finish(claimed)
    kit.take_one(tasks_[2])


def test_a_queues_limit_holds_where_a_key_makes_the_claim_look_farther():
    tasks.enqueue_many("greet", [{}] * 5, queue="mail", concurrency_key="k", max_running=1)
    tasks.enqueue_many("greet", [{}] * 20, queue="mail")
    limit("mail", 3)
    assert len(kit.take(10)) == 3
    assert kit.take(10) == []


def test_a_better_task_of_a_limited_queue_is_not_passed_by_another_queues():
    """The first of its queue is blocked by its key; the second is still better than what others have."""
    kit.greet(queue="mail", concurrency_key="k")
    limit("mail", 2)
    (running,) = kit.take()
    kit.greet(queue="mail", concurrency_key="k", priority=90)
    second = kit.greet(queue="mail", priority=80)
    kit.greet(priority=70)
    assert kit.take(1)[0].id == second.id
    kit.finish(running)
