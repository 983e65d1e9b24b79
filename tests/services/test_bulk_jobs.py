"""Bulk acts in the background: stopped, gone on with, taken back, and their owner's alone."""

import pytest

from models import Move, Role, Status
from services import audit, bulk, operators, tasks
from services.bulk import Act, Effect
from services.errors import Forbidden, InvalidInput, NotFound
from services.lifecycle.release import release
from services.search import TaskFilter
from tests.services import kit
from tests.services.bulk_kit import batches_of, done, everyone
from tests.support import wait_until


def finished(job: bulk.Job) -> bulk.Job:
    """The job, counted and done."""
    assert job.wait(30)
    job.begin("because")
    assert job.wait(30)
    assert job.state is bulk.State.done, job.sentence
    return job


def test_priorities_are_put_back(core):
    low, high = kit.greet(priority=10), kit.greet(priority=90)
    job = bulk.start(Act.reprioritise, [low.id, high.id])
    job.wait(30)
    assert job.plan.at(90) == {(Status.queued, Effect.moved): 1, (Status.queued, Effect.there_already): 1}
    with pytest.raises(InvalidInput, match="priority"):
        job.begin(priority=0)
    assert job.begin(priority=90)
    assert not job.begin(priority=20), "a second click does nothing"
    assert job.wait(30)
    assert (job.run.counts, job.run.refused) == (job.plan.at(90), [])
    back = job.undo()
    back.wait(30)
    back.begin()
    back.wait(30)
    assert [tasks.get(t.id).priority for t in (low, high)] == [10, 90]
    assert not back.may_undo


@pytest.mark.parametrize("act", [Act.delete, Act.restore])
def test_hiding_and_showing_undo_one_another(core, act):
    task = kit.greet()
    tasks.cancel(task.id)
    if act is Act.restore:
        tasks.delete(task.id)
    hidden = tasks.get(task.id).deleted_at is not None
    job = finished(bulk.start(act, [task.id]))
    assert (tasks.get(task.id).deleted_at is not None) is not hidden
    finished(job.undo())
    assert (tasks.get(task.id).deleted_at is not None) is hidden


def test_a_cancellation_is_undone_for_what_had_not_started(core):
    running, queued = kit.greet(), kit.greet()
    kit.take_one(running)
    job = finished(bulk.start(Act.cancel, [running.id, queued.id]))
    back = finished(job.undo())
    assert back.run.counts == {(Status.cancelled, Effect.again): 1}
    assert kit.status(running, queued) == [Status.running, Status.queued]


def released(many: int, **options) -> tuple[int, list[int], bulk.Job]:
    """What they need, which failed; tasks that were held for it; and the act that let go of them, in line by now."""
    parent = kit.greet().id
    held = [kit.greet(needs=[parent], on_parent_failure="hold", **options).id for _ in range(many)]
    kit.finish(kit.take_one(tasks.get(parent)), Move.fail)
    job = finished(bulk.start(Act.release, held))
    release()
    assert kit.status(*held) == [Status.queued] * many
    return parent, held, job


def test_a_release_is_taken_back_for_what_has_not_started(core):
    parent, held, job = released(6)
    running, completed, trying, *waiting = held
    claimed = {one.id: one for one in kit.take(3)}
    kit.finish(claimed[completed])
    kit.finish(claimed[trying], Move.defer)
    tasks.cancel(waiting.pop())
    back = job.undo()
    assert back.wait(30)
    assert bulk.sentences(back.plan.counts) == [
        (2, "queued will be held until somebody releases them"),
        (4, "have started or ended by now and are left alone"),
    ]  # fmt: skip
    finished(back)
    assert kit.status(running, completed, trying, *waiting) == [
        Status.running, Status.completed, Status.pending, Status.pending, Status.pending,
    ]  # fmt: skip
    why = f"needs #{parent}, which failed"
    assert [tasks.get(i).held_reason for i in (trying, *waiting)] == [None, why, why]
    assert {(e.before["status"], e.after["held"]) for e in kit.events("hold") if e.entity == "task"} == {
        ("queued", why)
    }
    kit.assert_sound()
    assert not back.may_undo


def test_what_is_held_once_more_is_let_go_as_it_was_before(core):
    parent, held, job = released(3, concurrency_key="one at a time")
    finished(job.undo())
    assert release() == 0
    assert kit.take(9) == []
    tasks.release(held[0])
    tasks.rerun(parent, dependents=True)
    kit.finish(kit.take_one(tasks.get(parent)))
    assert kit.status(*held) == [Status.queued] * 3
    kit.assert_sound()


def test_what_a_worker_takes_in_the_very_moment_is_not_held(core):
    _, held, job = released(20)
    back = job.undo()
    assert back.wait(30)
    taken, _ = kit.together(lambda: kit.take(5), lambda: finished(back))
    running = {one.id for one in taken}
    assert {i for i in held if tasks.get(i).status is Status.running} == running
    assert {i for i in held if tasks.get(i).held_reason is not None} == set(held) - running
    kit.assert_sound()


def test_a_stopped_job_keeps_what_is_done_and_goes_on_when_told(core, monkeypatch):
    batches_of(10, monkeypatch)
    tasks.enqueue_many("greet", [{}] * 50)
    job = bulk.start(Act.cancel, everyone(), check=lambda: job.stop())
    job.wait(30)
    job.begin("wrong import")
    assert job.wait(30)
    assert (job.state, job.run.at, kit.count("status = 'cancelled'")) == (bulk.State.paused, 10, 10)
    assert bulk.mine() == [job]
    job._check = lambda: None
    job.begin("wrong import")
    assert job.wait(30)
    assert (job.state, kit.count("status = 'cancelled'")) == (bulk.State.done, 50)


def test_the_first_few_then_the_rest(core):
    ids = tasks.enqueue_many("greet", [{}] * 12)
    done(bulk.plan(Act.cancel, everyone()))
    job = bulk.start(Act.rerun, everyone())
    job.wait(30)
    job.begin("the disk is back", first=5)
    assert job.wait(30)
    assert (job.state, sorted(job.run.done)) == (bulk.State.paused, ids[:5])
    job.begin()
    assert job.wait(30)
    assert kit.count("status = 'queued'") == 12
    assert {e.reason for e in kit.events("rerun")} == {"the disk is back"}


def test_a_session_that_ended_ends_the_job(core, monkeypatch):
    batches_of(5, monkeypatch)
    tasks.enqueue_many("greet", [{}] * 20)

    def signed_out() -> None:
        raise Forbidden("You were signed out.")

    job = bulk.start(Act.cancel, everyone(), check=signed_out)
    job.wait(30)
    job.begin()
    assert job.wait(30)
    assert (job.state, job.sentence, kit.count("status = 'cancelled'")) == (
        bulk.State.failed, "You were signed out.", 5,
    )  # fmt: skip


def test_jobs_that_ended_are_forgotten_where_they_know_too_many_tasks(core, monkeypatch):
    monkeypatch.setattr("services.bulk.jobs.KEPT_TASKS", 7)

    def of_three() -> bulk.Job:
        return finished(bulk.start(Act.cancel, [kit.greet().id for _ in range(3)]))

    first, second, third = of_three(), of_three(), of_three()
    bulk.start(Act.cancel, TaskFilter(type="none of it"))
    assert [bulk.find(job.id) for job in (second, third)] == [second, third]
    with pytest.raises(NotFound):
        bulk.find(first.id)


def test_a_job_is_its_owner_s_alone(core):
    with audit.acting_as(operators.create("olga", Role.operator)):
        job = bulk.start(Act.cancel, everyone())
        assert wait_until(lambda: not job.busy, what="the count")
        assert bulk.find(job.id) is job
    with audit.acting_as(operators.create("ada", Role.admin)), pytest.raises(Exception, match="another person's"):
        bulk.find(job.id)
