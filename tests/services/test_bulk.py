"""One act on many: the dry run is the outcome, races act once, rights hold at every moment."""

import threading
from datetime import timedelta

import pytest

from models import Move, Role, Status, now, transaction
from services import audit, bulk, operators, tasks
from services.bulk import Act, Effect
from services.errors import Forbidden, InvalidInput
from services.lifecycle.release import release
from services.search import TaskFilter
from tests.services import kit
from tests.services.bulk_kit import batches_of, done, everyone
from tests.support import wait_until


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
        (4, "finished are left alone"), (1, "running was asked to stop already"),
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


@pytest.mark.parametrize("act", [Act.cancel, Act.rerun, Act.delete, Act.reprioritise, Act.hold])
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
