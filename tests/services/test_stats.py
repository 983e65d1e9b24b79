"""Counts are exact at every moment, and durations near enough."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from models import Move, Outcome, Status, Task, now, transaction
from services import folding, stats, tasks
from services.errors import InvalidInput, NotFound
from services.lifecycle import counts, rescue
from services.lifecycle.release import expire, release
from tests.services import kit


def truth() -> Counter[Status]:
    """What COUNT(*) says."""
    return Counter({status: n for status in Status if (n := kit.count("status = :s", s=status.value))})


def folded() -> Counter[Status]:
    """What the readers say."""
    return +Counter(stats.by_status())


def random_moves(chance: random.Random, steps: int) -> None:
    """Everything that can happen to tasks, in any order."""
    for _ in range(steps):
        ids = list(range(1, (kit.scalar("SELECT max(id) FROM tasks") or 0) + 1))
        some = chance.sample(ids, min(len(ids), 2))
        act = chance.choice(["many", "needs", "later", "claim", "claim", "cancel", "rerun", "fold", "lose", "release"])
        if act == "many":
            tasks.enqueue_many(chance.choice(["greet", "count"]), [{}] * chance.randint(1, 5))
        elif act == "needs":
            kit.greet(needs=some, on_parent_failure=chance.choice(["cancel", "hold", "run_anyway"]))
        elif act == "later":
            kit.greet(run_at=now() + timedelta(seconds=chance.choice([0, 60])))
        elif act == "claim":
            for claimed in kit.take(chance.randint(1, 4)):
                kit.finish(claimed, chance.choice([Move.complete, Move.fail, Move.defer, Move.hand_back, Move.stop]))
        elif act == "cancel":
            for i in some:
                if tasks.get(i).status in (Status.pending, Status.queued):
                    tasks.cancel(i)
        elif act == "rerun":
            for i in some:
                if tasks.get(i).may(Move.rerun):
                    tasks.rerun(i, dependents=chance.random() < 0.5)
        elif act == "fold":
            folding.fold(chance.randint(1, 20))
        elif act == "lose" and kit.take(2, "doomed"):
            rescue.bury("doomed", None, "it died")
        elif act == "release":
            release()
            expire()
        kit.settle_everything()
        assert folded() == truth()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_gauges_equal_a_count_of_the_rows_after_every_move(core, seed):
    random_moves(random.Random(seed), 60)
    while folding.fold():
        pass
    assert kit.scalar("SELECT count(*) FROM rollup_deltas") == 0
    assert folded() == truth()


def test_gauges_are_kept_for_each_type_and_queue(core):
    tasks.enqueue_many("greet", [{}] * 3)
    tasks.enqueue("count", {})
    tasks.enqueue("count", {}, queue="default")
    assert stats.by_status(type="count")[Status.queued] == 2
    assert stats.by_status(queue="default")[Status.queued] == 4
    assert stats.by_status(type="count", queue="numbers")[Status.queued] == 1
    assert stats.by_queue()["default"][Status.queued] == 4


def test_folding_changes_no_answer(core):
    tasks.enqueue_many("greet", [{}] * 5)
    kit.finish(kit.take())
    tasks.enqueue("count", {})
    ask = [stats.by_status, stats.by_queue, stats.by_type_and_hour, stats.throughput, stats.failure_rate]
    before = [question() for question in ask]
    assert folding.fold(3) == 3
    assert [question() for question in ask] == before
    while folding.fold():
        pass
    assert [question() for question in ask] == before


def test_folding_an_empty_table_is_no_work(core):
    assert folding.fold() == 0


def fold_until_empty(n: int) -> int:
    """A process's share of the folding."""
    total = 0
    while done := folding.fold(50):
        total += done
    return total


def test_many_processes_fold_each_delta_once(core, crowd):
    expected = 0
    for n in range(600):
        with transaction() as session:
            counts.record(session, Counter({(0, f"t{n % 7}", "q", "queued", 0): 1 + n % 3}))
        expected += 1 + n % 3
    assert sum(crowd.do(fold_until_empty)) == 600
    assert kit.scalar("SELECT sum(n) FROM rollups WHERE queue = 'q' AND hour = 0") == expected
    assert kit.scalar("SELECT count(*) FROM rollup_deltas") == 0
    kit.execute("DELETE FROM rollups")  # these counted no tasks


def ended(task_type: str, run_s: float, wait_s: float = 0.0, move: Move = Move.complete) -> Task:
    """A task whose attempt ran and waited for so long."""
    task = tasks.enqueue(task_type, {})
    (claimed,) = kit.take(1)
    at = now()
    started = at - timedelta(seconds=run_s)
    kit.finish(claimed, move, started_at=started, queued_at=started - timedelta(seconds=wait_s))
    return task


def test_outcomes_are_counted_by_type_and_hour(core):
    for _ in range(3):
        ended("greet", 1)
    ended("greet", 1, move=Move.fail)
    ended("count", 1, move=Move.defer)
    (count, greet) = sorted(stats.by_type_and_hour(2), key=lambda hour: hour.type)
    assert greet.counts == {Outcome.completed: 3, Outcome.failed: 1}
    assert count.counts == {Outcome.retried: 1}
    assert timedelta(0) <= now() - greet.at < timedelta(hours=1, minutes=1)


def test_throughput_has_an_entry_for_every_hour(core):
    ended("greet", 1)
    hours = stats.throughput(24)
    assert len(hours) == 24
    assert [n for _, n in hours][-1] == 1 or [n for _, n in hours][-2] == 1  # an hour may have begun meanwhile
    assert sum(n for _, n in hours) == 1
    assert all(later - earlier == timedelta(hours=1) for (earlier, _), (later, _) in pairwise(hours))


def test_the_failure_rate_is_of_what_completed_or_failed(core):
    assert stats.failure_rate() is None
    for _ in range(3):
        ended("greet", 1)
    ended("greet", 1, move=Move.fail)
    ended("greet", 1, move=Move.defer)
    assert stats.failure_rate() == pytest.approx(0.25)
    assert stats.failure_rate(type="count") is None


def test_percentiles_are_within_a_bucket_of_the_truth(core):
    chance = random.Random(7)
    runs = sorted(chance.lognormvariate(1, 1.5) for _ in range(2_000))
    with transaction() as session:
        hour = counts.hour_of(now())
        counts.record(session, Counter((hour, "greet", "q", "run", counts.bucket_of(s)) for s in runs))
    for p, found in stats.percentiles("run", ps=(1, 50, 95, 99)).items():
        exact = runs[int(p / 100 * len(runs))]
        assert found == pytest.approx(exact, rel=0.19), f"p{p}"


def test_waits_and_runs_are_told_apart(core):
    ended("greet", run_s=8, wait_s=0.5)
    assert stats.percentiles("run", ps=(100,))[100] == pytest.approx(8, rel=0.2)
    assert stats.percentiles("wait", ps=(100,))[100] == pytest.approx(0.5, rel=0.2)
    assert stats.percentiles("run", type="count") == {}


@pytest.mark.parametrize(
    ("buckets", "share", "seconds"),
    [
        ([(0, 4)], 0.5, 0.0005),  # the first bucket begins at 0 and ends at a millisecond
        ([(4, 1)], 1.0, 0.002),  # four buckets a doubling
        ([(4, 2)], 0.5, 0.002 / 2**0.125),  # half a bucket below its top
        ([(0, 1), (40, 1)], 1.0, 1.024),
    ],
)
def test_a_quantile_is_interpolated_inside_its_bucket(buckets, share, seconds):
    assert stats.quantile(buckets, share) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "act",
    [
        lambda: stats.percentiles("cpu"),
        lambda: stats.percentiles("run", ps=(0,)),
        lambda: stats.percentiles("run", hours=0),
        lambda: stats.throughput(10_000_000),
    ],
)
def test_questions_that_cannot_be_are_refused(core, act):
    with pytest.raises(InvalidInput):
        act()


def test_the_place_in_line_is_one_for_who_is_next(core):
    first, second, urgent = kit.greet(), kit.greet(), kit.greet(priority=99)
    assert [stats.place_in_line(t.id) for t in (urgent, first, second)] == [1, 2, 3]
    kit.take(1)
    assert [stats.place_in_line(t.id) for t in (urgent, first, second)] == [None, 1, 2]
    with pytest.raises(NotFound):
        stats.place_in_line(10**9)
