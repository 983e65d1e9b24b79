"""The best task first, each to exactly one worker, and none that may not run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models import Status, now, transaction
from services import tasks
from services.lifecycle.claim import claim
from services.lifecycle.release import expire, release
from tests.services import kit
from tests.services.crowd import claim_until_empty

pytestmark = pytest.mark.usefixtures("core")


def test_eight_processes_take_each_task_once(crowd):
    ids = [i for p in (10, 90, 50, 51) for i in tasks.enqueue_many("greet", [{}] * 500, priority=p)]
    shares = crowd.do(claim_until_empty, 7)
    assert sorted(i for share in shares for i in share) == ids
    assert kit.count("status = 'running' AND epoch = 1 AND worker IS NOT NULL") == 2000
    priority = {i: tasks_of // 500 for tasks_of, i in enumerate(ids)}
    order = {1: 0, 3: 1, 2: 2, 0: 3}  # 90, 51, 50, 10
    for share in shares:
        ranks = [order[priority[i]] for i in share]
        assert ranks == sorted(ranks), "a worker took a task while better ones were in line"


def test_claims_pass_one_another(core):
    """A claim that has not been committed keeps nobody waiting, and nobody takes its tasks."""
    if core == "sqlite":
        pytest.skip("SQLite has one writer")
    ids = tasks.enqueue_many("greet", [{}] * 9)
    with ThreadPoolExecutor(1) as other, transaction():
        mine = kit.take(3)
        theirs = other.submit(kit.take, 3).result(30)
    assert [[c.id for c in got] for got in (mine, theirs, kit.take())] == [ids[:3], ids[3:6], ids[6:]]


def test_a_claim_without_limits_is_one_statement(core):
    if core == "sqlite":
        pytest.skip("SQLite has no round trips to spare")
    ids = tasks.enqueue_many("greet", [{}] * 3)
    statements = []
    with kit.watching(statements):
        assert [c.id for c in kit.take()] == ids
    assert len(statements) == 1


def test_a_claim_that_passed_others_by_rings_for_them(core, rings):
    """It had locked them for a moment, in which another claim may have found nothing."""
    for queue in ("near", "far"):
        tasks.enqueue_many("greet", [{}] * 2, queue=queue)
    rings.clear()
    assert [c.queue for c in kit.take(2)] == ["near", "near"]
    assert rings == (["far"] if core == "postgresql" else [])


def test_the_whole_backlog_is_claimed_in_order_of_priority_then_age():
    wanted = []
    for n in range(300):
        priority = (n * 37) % 100 + 1
        wanted.append((-priority, kit.greet(priority=priority, queue=f"q{n % 3}").id))
    got = [claimed.id for _ in range(40) for claimed in kit.take(8)]
    assert got == [i for _, i in sorted(wanted)]


def test_an_urgent_task_passes_a_thousand_others():
    tasks.enqueue_many("greet", [{}] * 1000, priority=99)
    kit.take(10)
    kit.take_one(kit.greet(priority=100, queue="elsewhere"))


def test_a_reprioritised_task_is_found_at_its_new_place():
    first, second = kit.greet(), kit.greet()
    tasks.reprioritise(second.id, 51)
    assert [c.id for c in kit.take()] == [second.id, first.id]


def test_a_paused_queue_gives_nothing_until_it_is_resumed():
    task = kit.greet(queue="mail")
    kit.execute("UPDATE queues SET paused_at = :at WHERE name = 'mail'", at=str(now()))
    assert kit.take() == []
    kit.execute("UPDATE queues SET paused_at = NULL WHERE name = 'mail'")
    kit.take_one(task)


def test_a_worker_takes_only_its_types_and_queues():
    greeting, number = kit.greet(), tasks.enqueue("count", {})
    assert kit.take(queues=["numbers"])[0].id == number.id
    assert kit.take(queues=["elsewhere"]) == []
    assert claim("w", ["count"], None, 10, 60) == []
    assert claim("w", [], None, 10, 60) == []
    assert claim("w", ["greet"], None, 0, 60) == []
    kit.take_one(greeting)


def test_a_claim_says_what_the_body_needs_and_what_is_left_of_its_budget():
    task = tasks.enqueue("count", {"name": "ü", "data": [1, {"a": None}]}, retries=2, timeout=9.5, concurrency_key="k")
    claimed = kit.take_one(task)
    assert claimed.payload == {"name": "ü", "n": 0, "ratio": 0.5, "data": [1, {"a": None}]}
    assert (claimed.epoch, claimed.tries, claimed.max_tries, claimed.timeout_s) == (1, 0, 3, 9.5)
    assert (claimed.queue, claimed.concurrency_key) == ("numbers", "k")
    running = tasks.get(task.id)
    assert (running.status, running.worker, running.started_at) == (Status.running, "w", None)
    assert timedelta(seconds=50) < running.lease_until - now() <= timedelta(seconds=60)


def test_a_task_of_the_future_is_not_claimed_before_its_time():
    later = kit.greet(run_at=now() + timedelta(hours=1))
    assert later.status is Status.pending
    assert (release(), kit.take()) == (0, [])
    kit.execute("UPDATE tasks SET run_at = :at", at=str(now()))
    assert release() == 1
    kit.take_one(later)


def test_an_expired_task_is_not_claimed_and_is_cancelled():
    task = kit.greet(expires_at=now() + timedelta(hours=1), priority=100)
    child, fresh = kit.greet(needs=[task]), kit.greet()
    kit.execute("UPDATE tasks SET expires_at = :at WHERE id = :id", at=str(now()), id=task.id)
    assert [c.id for c in kit.take()] == [fresh.id]
    assert (expire(), expire()) == (1, 0)
    ended = tasks.get(task.id)
    assert (ended.status, ended.cancel_reason) == (Status.cancelled, "expired: it had not started by its expiry time")
    assert kit.status(child) == [Status.cancelled]


def test_a_running_task_does_not_expire():
    task = kit.greet(expires_at=now() + timedelta(hours=1))
    kit.take_one(task)
    kit.execute("UPDATE tasks SET expires_at = :at", at=str(now()))
    assert expire() == 0
    assert kit.status(task) == [Status.running]


def test_hundreds_of_queues_are_served():
    for n in range(600):
        kit.execute("INSERT INTO queues (name, created_at) VALUES (:name, '2026-01-01 00:00:00')", name=f"customer-{n}")
    last = kit.greet(queue="customer-599")
    kit.take_one(last)


def test_a_task_is_released_once_by_several_at_once():
    tasks.enqueue_many("greet", [{}] * 300, run_at=now() + timedelta(hours=1))
    kit.execute("UPDATE tasks SET run_at = :at", at=str(now()))
    kit.together(*[lambda: [release(50) for _ in range(10)]] * 3)
    assert kit.count("status = 'queued'") == 300


def test_a_payload_of_a_newer_version_waits_for_a_worker_that_knows_it(core):
    older, newer = kit.a_type("greet"), kit.a_type("greet", version=2)
    with kit.known(newer):
        task = kit.greet()
        with kit.known(older):  # a worker of the release before, in a rolling deploy
            assert kit.take(5) == [], "an argument that it does not know would fail the task for good"
        with kit.known(newer):
            assert [one.id for one in kit.take(5)] == [task.id]
