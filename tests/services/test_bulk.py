"""One act on many: the dry run is the outcome, races act once, rights hold at every moment."""

import threading
from datetime import timedelta

import pytest

from models import Move, Role, Status, now, transaction
from services import audit, bulk, operators, tasks
from services.bulk import Act, Effect
from services.errors import Forbidden, InvalidInput, NotFound
from services.lifecycle.release import release
from services.search import TaskFilter
from tests.services import kit
from tests.support import wait_until


def everyone() -> TaskFilter:
    return TaskFilter(type="greet")


def done(plan: bulk.Plan, reason: str | None = "spring cleaning") -> bulk.Run:
    """The plan carried out."""
    run = bulk.Run(plan)
    for _ in run.go(reason):
        pass
    return run


def batches_of(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of just so many, however slow the machine is."""
    monkeypatch.setattr("services.bulk.run.BATCH", many)
    monkeypatch.setattr("services.bulk.run.BATCH_S", 60.0)


def one_of_each() -> dict[str, int]:
    """A task in every status, some hidden, one asked to stop."""
    made = {name: kit.greet().id for name in ("completed", "failed", "hidden", "running", "asked")}
    for claimed in kit.take(5):
        move = {made["completed"]: Move.complete, made["failed"]: Move.fail, made["hidden"]: Move.fail}.get(claimed.id)
        if move is not None:
            kit.finish(claimed, move)
    tasks.cancel(made["asked"])
    tasks.delete(made["hidden"])
    made["cancelled"] = kit.greet().id
    tasks.cancel(made["cancelled"])
    made["queued"] = kit.greet(priority=50).id
    made["urgent"] = kit.greet(priority=90).id
    made["pending"] = kit.greet(run_at=now() + timedelta(hours=1)).id
    made["held"] = held(made["failed"])
    return made


def held(parent: int) -> int:
    """A task that waits for a person's word, as what it needs has failed."""
    child = kit.greet(run_at=now() + timedelta(hours=1)).id
    kit.execute("UPDATE tasks SET held_reason = :why WHERE id = :i", why=f"needs #{parent}, which failed", i=child)
    return child


@pytest.mark.parametrize("act", list(Act))
def test_the_dry_run_is_the_outcome(core, act):
    made = one_of_each()
    priority = {"priority": 90} if act is Act.reprioritise else {}
    plan = bulk.plan(act, list(made.values()), **priority)
    assert plan.counts.total() == len(made) == plan.seen
    run = done(plan)
    assert run.counts == plan.counts
    assert run.refused == []
    again = bulk.plan(act, list(made.values()), **priority)
    # What runs is asked only once, what was rerun is live: a second time there is nothing to do
    assert again.changes == 0


def test_what_it_would_do_is_said_in_words(core):
    plan = bulk.plan(Act.cancel, list(one_of_each().values()))
    assert bulk.sentences(plan.counts) == [
        (2, "pending will be cancelled"), (2, "queued will be cancelled"), (1, "running will be asked to stop"),
        (4, "finished are left alone"), (1, "running were asked to stop already"),
    ]  # fmt: skip


def test_a_dry_run_writes_nothing(core):
    made = one_of_each()
    before = kit.scalar("SELECT max(updated_at) FROM tasks"), kit.scalar("SELECT count(*) FROM events")
    for act in Act:
        bulk.plan(act, list(made.values()))
    assert (kit.scalar("SELECT max(updated_at) FROM tasks"), kit.scalar("SELECT count(*) FROM events")) == before


def test_every_task_has_its_event_and_the_whole_has_one(core, monkeypatch):
    batches_of(10, monkeypatch)
    ids = tasks.enqueue_many("greet", [{}] * 25)
    with audit.acting_as(operators.create("olga", Role.operator)):
        run = done(bulk.plan(Act.cancel, everyone()), "wrong import")
    assert run.counts == {(Status.queued, Effect.cancelled): 25}
    each = [e for e in kit.events("cancel") if e.entity == "task"]
    assert sorted(int(e.entity_id) for e in each) == ids
    (whole,) = [e for e in kit.events("cancel") if e.entity == "bulk"]
    assert {e.request_id for e in each} == {whole.request_id} == {run.token}
    assert (whole.reason, whole.actor_id, whole.after["tasks"]) == ("wrong import", "olga", 25)
    assert whole.after["filter"] == {"type": "greet"}
    assert each[0].before == {"status": "queued", "cancel_requested": False}
    assert each[0].after == {"status": "cancelled", "cancel_requested": True}


def test_what_is_held_is_let_go_and_then_joins_its_line(core):
    parent = kit.greet()
    children = [kit.greet(needs=[parent], on_parent_failure="hold") for _ in range(3)]
    later = kit.greet(needs=[parent], on_parent_failure="hold", run_at=now() + timedelta(hours=1))
    free = kit.greet(run_at=now() + timedelta(hours=1))
    kit.finish(kit.take_one(parent), Move.fail)
    plan = bulk.plan(Act.release, everyone())
    assert bulk.sentences(plan.counts) == [(4, "are held and will be let go"), (2, "are not held and are left alone")]
    run = done(plan, "the parent is mended")
    assert (run.counts, run.refused) == (plan.counts, [])
    release()
    assert kit.status(*children, later, free) == [Status.queued] * 3 + [Status.pending] * 2
    each = [e for e in kit.events("release") if e.entity == "task"]
    assert {e.before["held"] for e in each} == {f"needs #{parent.id}, which failed"}
    assert bulk.plan(Act.release, everyone()).changes == 0


def test_what_comes_after_the_dry_run_is_not_touched(core):
    tasks.enqueue_many("greet", [{}] * 5)
    plan = bulk.plan(Act.cancel, everyone())
    late = kit.greet()
    done(plan)
    assert kit.status(late) == [Status.queued]
    assert kit.count("status = 'cancelled'") == 5


def test_what_left_the_filter_since_is_left_alone(core):
    first, second = kit.greet(), kit.greet()
    plan = bulk.plan(Act.cancel, TaskFilter(status=Status.queued))
    kit.take_one(first)
    run = done(plan)
    assert kit.status(first, second) == [Status.running, Status.cancelled]
    assert run.counts[Status.running, Effect.meanwhile] == 1
    assert "running by now" in run.refused[0][1]


def test_children_are_cancelled_by_the_act_and_not_by_their_parent_s_end(core):
    parent = kit.greet()
    children = [kit.greet(needs=[parent]) for _ in range(3)]
    plan = bulk.plan(Act.cancel, everyone())
    run = done(plan, "wrong import")
    assert run.counts == plan.counts
    assert {tasks.get(c.id).cancel_reason for c in children} == {"wrong import"}


def test_rerun_parents_are_waited_for_again(core):
    parent = kit.greet()
    child = kit.greet(needs=[parent])
    done(bulk.plan(Act.cancel, everyone()))
    run = done(bulk.plan(Act.rerun, everyone()))
    assert run.counts == {(Status.cancelled, Effect.again): 2}
    assert kit.status(parent, child) == [Status.queued, Status.pending]


def test_a_unique_key_that_lives_is_foreseen(core):
    old = kit.greet(unique_key="porto")
    tasks.cancel(old.id)
    other = kit.greet(unique_key="lisbon")
    tasks.cancel(other.id)
    twin = kit.greet(unique_key="lisbon")
    tasks.cancel(twin.id)
    kit.greet(unique_key="porto")
    plan = bulk.plan(Act.rerun, [old.id, other.id, twin.id])
    assert plan.counts == {(Status.cancelled, Effect.again): 1, (Status.cancelled, Effect.key_taken): 2}
    assert done(plan).counts == plan.counts


def test_a_unique_key_that_was_taken_since_keeps_back_that_one_alone(core):
    made = [kit.greet(unique_key=f"album {n}").id for n in range(6)]
    done(bulk.plan(Act.cancel, everyone()))
    plan = bulk.plan(Act.rerun, made)
    other = kit.greet(unique_key="album 3")
    run = done(plan)
    assert run.counts == {(Status.cancelled, Effect.again): 5, (Status.cancelled, Effect.key_taken): 1}
    words = f"#{made[3]} cannot be rerun: another live task, #{other.id}, has its unique key 'album 3'"
    assert run.refused == [(made[3], words)]
    assert len([e for e in kit.events("rerun") if e.entity == "task"]) == 5


def test_a_unique_key_that_is_taken_in_the_very_moment_keeps_back_that_one_alone(core):
    if core != "postgresql":
        pytest.skip("SQLite has one writer at a time: nothing can come between the look and the act")
    made = [kit.greet(unique_key=f"album {n}").id for n in range(6)]
    done(bulk.plan(Act.cancel, everyone()))
    plan, runs = bulk.plan(Act.rerun, made), []
    with transaction():
        other = kit.greet(unique_key="album 3")
        acting = threading.Thread(target=lambda: runs.append(done(plan)))
        acting.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        wait_until(lambda: kit.scalar(waits) > 0, timeout=30, what="the act to meet the key")
    acting.join(30)
    (run,) = runs
    assert run.counts == {(Status.cancelled, Effect.again): 5, (Status.cancelled, Effect.key_taken): 1}
    assert [task_id for task_id, _ in run.refused] == [made[3]]
    assert f"#{other.id}, has its unique key 'album 3'" in run.refused[0][1]


@pytest.mark.parametrize("act", [Act.cancel, Act.rerun, Act.delete, Act.reprioritise])
def test_two_at_once_act_once(core, act):
    ids = tasks.enqueue_many("greet", [{}] * 60)
    if act in (Act.rerun, Act.delete):
        done(bulk.plan(Act.cancel, everyone()))
    plans = [bulk.plan(act, everyone(), **({"priority": 80} if act is Act.reprioritise else {})) for _ in range(2)]
    runs = kit.together(*(lambda plan=plan: done(plan) for plan in plans))
    changed = [sum(n for (_, what), n in run.counts.items() if what.changes) for run in runs]
    assert sum(changed) == len(ids)
    verb = [e for e in kit.events(act.value) if e.entity == "task"]
    assert len(verb) == len(ids)


def test_a_member_acts_on_their_own_alone(core):
    mia = operators.create("mia", Role.member)
    with audit.acting_as(mia):
        own = kit.greet()
    other = kit.greet()
    with audit.acting_as(mia):
        plan = bulk.plan(Act.cancel, everyone())
        assert plan.counts == {(Status.queued, Effect.cancelled): 1, (Status.queued, Effect.not_yours): 1}
        done(plan)
    assert kit.status(own, other) == [Status.cancelled, Status.queued]


def test_a_viewer_may_not_even_count(core):
    with audit.acting_as(operators.create("vera", Role.viewer)), pytest.raises(Forbidden, match="takes the role"):
        bulk.plan(Act.cancel, everyone())


def test_a_demotion_in_the_middle_stops_it_with_a_sentence(core, monkeypatch):
    batches_of(10, monkeypatch)
    tasks.enqueue_many("greet", [{}] * 30)
    olga = operators.create("olga", Role.operator)
    with audit.acting_as(olga):
        run = bulk.Run(bulk.plan(Act.cancel, everyone()))
        going = run.go("wrong import")
        next(going)
        kit.execute("UPDATE operators SET role = 'viewer' WHERE name = 'olga'")
        with pytest.raises(Forbidden, match="olga is a viewer; this takes the role operator"):
            next(going)
    assert kit.count("status = 'cancelled'") == run.at == 10
    (whole,) = [e for e in kit.events("cancel") if e.entity == "bulk"]
    assert (whole.after["tasks"], whole.after["left"]) == (10, 20)


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


def finished(job: bulk.Job) -> bulk.Job:
    """The job, counted and done."""
    assert job.wait(30)
    job.begin("because")
    assert job.wait(30)
    assert job.state is bulk.State.done, job.sentence
    return job


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


@pytest.mark.parametrize(
    ("act", "which", "more"),
    [
        (Act.cancel, [0], {}), (Act.cancel, ["1"], {}), (Act.cancel, "12", {}), (Act.cancel, [1], {"priority": 5}),
        (Act.reprioritise, [1], {"priority": 0}), (Act.reprioritise, [1], {"priority": "5"}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(core, act, which, more):
    with pytest.raises(InvalidInput):
        bulk.plan(act, which, **more)


def test_a_priority_must_be_said_before_it_runs(core):
    kit.greet()
    with pytest.raises(InvalidInput, match="give one from 1 to 100"):
        done(bulk.plan(Act.reprioritise, everyone()))
