"""The tasks of workers that died run again; those that kill their workers do not run for ever."""

from datetime import timedelta

import pytest
from sqlmodel import select

from models import Attempt, Move, Outcome, Status, now, reading
from services import tasks
from services.lifecycle import rescue
from services.lifecycle.take import told
from settings import settings
from tests.services import kit
from tests.support import examples

pytestmark = pytest.mark.usefixtures("core")


@pytest.fixture
def clock(monkeypatch):
    """The rescuer's own clock, moved by hand; it has never looked before."""

    class Clock:
        seconds = 1000.0

        def monotonic(self):
            return self.seconds

    made = Clock()
    monkeypatch.setattr(rescue, "time", made)
    monkeypatch.setattr(rescue, "_last_look", None)
    monkeypatch.setattr(rescue, "_patient_until", 0.0)
    return made


@pytest.fixture(autouse=True)
def fresh(clock):
    """Every test starts with a rescuer that was not silent."""


def lose(*ids):
    """The leases of these tasks (of all) run out."""
    which = f"id IN ({', '.join(map(str, ids))})" if ids else "TRUE"
    at = now() - timedelta(seconds=0.01)
    kit.execute(f"UPDATE tasks SET lease_until = :at WHERE status = 'running' AND {which}", at=str(at))


def attempts(task):
    with reading() as session:
        rows = session.exec(select(Attempt).where(Attempt.task_id == task.id).order_by(Attempt.epoch))
        return list(rows)


def test_a_task_whose_lease_ran_out_is_queued_again():
    task = kit.greet()
    kit.take(1, "dead")
    assert rescue.rescue() == 0, "its worker lives"
    lose()
    assert rescue.rescue() == 1
    again = tasks.get(task.id)
    assert (again.status, again.losses, again.tries, again.worker) == (Status.queued, 1, 0, None)
    (lost,) = attempts(task)
    assert (lost.epoch, lost.worker, lost.outcome, lost.error_class) == (1, "dead", Outcome.lost, "WorkerLost")
    assert lost.error_text == "worker dead was lost: its lease ran out"
    (event,) = kit.events("rescue", task)
    assert (event.actor_kind, event.actor_id, event.reason) == ("system", "dead", "its lease ran out")
    assert (event.before, event.after) == ({"status": "running", "epoch": 1}, {"status": "queued"})
    assert kit.take_one(task).epoch == 2


def test_a_rescued_task_keeps_its_place_in_the_line():
    first, second = kit.greet(), kit.greet()
    kit.take(1)
    lose()
    rescue.rescue()
    assert [c.id for c in kit.take()] == [first.id, second.id]


def test_the_third_worker_lost_gives_a_task_up():
    task = kit.greet(retries=20)
    child = kit.greet(needs=[task], on_parent_failure="hold")
    for losses in (1, 2):
        kit.take_one(task)
        lose()
        assert rescue.rescue() == 1
        assert (kit.status(task), tasks.get(task.id).losses) == ([Status.queued], losses)
    kit.take_one(task)
    lose()
    rescue.rescue()
    ended = tasks.get(task.id)
    assert (ended.status, ended.error_class, ended.fingerprint) == (Status.failed, "WorkerLost", "worker-lost")
    assert ended.error == (
        "given up: 3 workers died while they ran it. Look at its log and its memory use, then run it again."
    )
    assert tasks.get(child.id).held_reason == f"needs #{task.id}, which failed"
    tasks.rerun(task.id)
    assert tasks.get(task.id).losses == 0


def test_a_lost_task_whose_cancellation_was_asked_for_is_cancelled():
    task = kit.greet()
    child = kit.greet(needs=[task])
    kit.take_one(task)
    tasks.cancel(task.id, "wrong album")
    lose()
    rescue.rescue()
    ended = tasks.get(task.id)
    assert (ended.status, ended.cancel_reason) == (Status.cancelled, "wrong album")
    assert attempts(task)[0].outcome is Outcome.cancelled
    assert kit.status(child) == [Status.cancelled]


def test_neighbours_that_had_not_started_lose_nothing():
    culprit, innocent = kit.greet(), kit.greet()
    claimed, _ = kit.take(2, "dead")
    assert rescue.bury("dead", {(claimed.id, claimed.epoch)}, "its process died") == 2
    assert [tasks.get(t.id).losses for t in (culprit, innocent)] == [1, 0]
    assert kit.status(culprit, innocent) == [Status.queued] * 2
    assert (len(attempts(culprit)), attempts(innocent)) == (1, [])
    assert len(kit.events("rescue")) == 2


def test_a_body_that_is_known_to_have_started_counts_even_if_unmarked():
    task = kit.greet()
    kit.take(1, "dead")
    kit.execute("UPDATE tasks SET started_at = :at", at=str(now()))
    rescue.bury("dead", set(), "its process died")
    assert tasks.get(task.id).losses == 1


def test_burying_a_worker_takes_all_its_tasks_and_nobody_elses():
    tasks.enqueue_many("greet", [{}] * 260)
    kit.take(250, "dead")
    kit.take(10, "alive")
    assert rescue.bury("dead", None, "its process died") == 250
    assert kit.count("status = 'running' AND worker = 'alive'") == 10
    assert rescue.bury("dead", None, "its process died") == 0


def test_several_rescuers_at_once_take_each_task_once():
    ids = tasks.enqueue_many("greet", [{}] * 300)
    kit.take(300)
    lose()
    taken = kit.together(*[lambda: [rescue.rescue(30) for _ in range(8)]] * 3)
    rescue.rescue(300)
    assert sum(map(sum, taken)) <= 300
    assert kit.status(*ids) == [Status.queued] * 300
    assert kit.scalar("SELECT count(*) FROM attempts WHERE outcome = 'lost'") == 300
    assert kit.scalar("SELECT count(*) FROM events WHERE verb = 'rescue'") == 300
    assert kit.count("losses = 1") == 300


def test_a_rescue_and_the_workers_own_ending_have_one_outcome():
    rounds = examples(200)
    ids = tasks.enqueue_many("greet", [{}] * rounds)
    claimed = kit.take(rounds)
    outcomes = kit.race(rounds, lambda n: (lose(ids[n]), rescue.rescue())[1], lambda n: kit.finish(claimed[n]))
    for i, (_, fenced) in zip(ids, outcomes, strict=True):
        assert kit.status(i) == [Status.queued if fenced else Status.completed]


def test_what_was_taken_back_right_after_a_claim_is_not_told_to_the_worker_that_lost_it():
    ids = [kit.greet().id for _ in range(2)]
    kit.take(2, worker="slow")
    lose(ids[0])
    rescue.rescue()
    kit.take(1, worker="quick")
    assert [(c.id, c.epoch) for c in told("slow", ids)] == [(ids[1], 1)]
    assert [(c.id, c.epoch) for c in told("quick", ids)] == [(ids[0], 2)]


def test_a_rescuer_that_was_silent_itself_waits_one_lease(clock):
    """The database was away for everybody: the workers must have their chance to beat again."""
    task = kit.greet()
    kit.take_one(task)
    rescue.rescue()
    lose()
    clock.seconds += 2.5
    assert rescue.rescue() == 0
    for _ in range(5):
        clock.seconds += 1.9
        assert rescue.rescue() == 0
    clock.seconds += settings().lease_s - 5 * 1.9 + 0.1
    assert rescue.rescue() == 1


def test_a_rescuer_whose_first_look_comes_late_waits_one_lease_from_then(clock):
    """Its first beat may have waited for a database that nobody could write to."""
    task = kit.greet()
    kit.take_one(task)
    rescue.begin()
    lose()
    clock.seconds += settings().lease_s + 1
    assert rescue.rescue() == 0
    for _ in range(6):
        clock.seconds += 1.9
        taken = rescue.rescue()
    assert taken == 1


def test_a_rescuer_that_looks_each_second_never_waits(clock):
    task = kit.greet()
    kit.take_one(task)
    for _ in range(30):
        clock.seconds += 1
        rescue.rescue()
    lose()
    clock.seconds += 1.5
    assert rescue.rescue() == 1


def test_what_a_dead_worker_held_makes_room_for_others():
    kit.greet(concurrency_key="k")
    second = kit.greet(concurrency_key="k", priority=1)
    kit.take()
    kit.take()
    assert tasks.get(second.id).parked
    kit.execute("UPDATE tasks SET cancel_requested_at = lease_until WHERE status = 'running'")
    lose()
    rescue.rescue()
    kit.take_one(second)


def test_a_task_lost_by_its_child_process_counts_as_a_loss():
    task = kit.greet()
    kit.finish(kit.take_one(task), Move.rescue, outcome=Outcome.lost, lost=True, error_class="ChildDied")
    again = tasks.get(task.id)
    assert (again.status, again.losses, again.tries) == (Status.queued, 1, 0)
    assert attempts(task)[0].outcome is Outcome.lost
