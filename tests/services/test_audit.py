"""Who may do what, from the moment it is decided; and the record of it."""

import pytest

from models import Operator, Role, now, transaction
from services import audit, tasks
from services.errors import Forbidden
from services.lifecycle.ending import Move
from services.origin import Origin, origin
from tests.services import kit

pytestmark = pytest.mark.usefixtures("core")


def person(name, role):
    with transaction() as session:
        made = Operator(name=name, role=role)
        session.add(made)
    return made


def change(operator, **values):
    sets = ", ".join(f"{name} = :{name}" for name in values)
    kit.execute(f"UPDATE operators SET {sets} WHERE id = :id", id=operator.id, **values)


@pytest.fixture
def others():
    """A failed task of somebody else."""
    with audit.acting_as(person("olga", Role.operator)):
        task = kit.greet()
    kit.finish(kit.take_one(task), Move.fail)
    return task


ACTS = {
    "cancel": lambda task: tasks.cancel(task.id),
    "rerun": lambda task: tasks.rerun(task.id),
    "release": lambda task: tasks.release(task.id),
    "reprioritise": lambda task: tasks.reprioritise(task.id, 90),
    "delete": lambda task: tasks.delete(task.id),
    "restore": lambda task: tasks.restore(task.id),
}


def refused(act, *sentence):
    before = kit.scalar("SELECT count(*) FROM events"), kit.count()
    with pytest.raises(Forbidden, match=" ".join(sentence)):
        act()
    assert (kit.scalar("SELECT count(*) FROM events"), kit.count()) == before


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("role", [Role.viewer, Role.member])
def test_nobody_below_operator_acts_on_the_tasks_of_others(others, act, role):
    with audit.acting_as(person("vera", role)):
        refused(lambda: act(others), f"vera is a {role.value}; this takes the role operator")
    assert tasks.get(others.id).status.value == "failed"


def test_a_viewer_only_looks(others):
    with audit.acting_as(person("vera", Role.viewer)):
        refused(kit.greet, "vera is a viewer; this takes the role member")
        refused(lambda: tasks.enqueue_many("greet", [{}]), "vera is a viewer")
        refused(lambda: tasks.run_again(others.id), "vera is a viewer")
        assert tasks.get(others.id).id == others.id
        assert tasks.logs(others.id) == []


def test_a_member_runs_tasks_and_acts_on_their_own(others):
    with audit.acting_as(person("mia", Role.member)) as mia:
        own = kit.greet()
        assert (own.owner, own.created_by_kind, own.created_by_id) == (mia.operator_id, "operator", "mia")
        tasks.reprioritise(own.id, 60)
        tasks.cancel(own.id)
        tasks.rerun(own.id)
        tasks.cancel(own.id)
        tasks.delete(own.id)
        tasks.restore(own.id)
        assert tasks.run_again(others.id).owner == mia.operator_id


def test_what_a_members_task_enqueues_is_theirs_too():
    mia = person("mia", Role.member)
    token = origin.set(Origin(41, None, mia.id))
    try:
        with audit.acting(audit.Actor("task", "41")):
            made = kit.greet()
    finally:
        origin.reset(token)
    assert (made.owner, made.created_by_kind, made.created_by_id) == (mia.id, "task", "41")
    assert (made.parent_id, made.root_id) == (41, 41)
    with audit.acting_as(mia):
        tasks.cancel(made.id)


@pytest.mark.parametrize("role", [Role.operator, Role.admin])
def test_an_operator_acts_on_all(others, role):
    with audit.acting_as(person("otto", role)):
        tasks.rerun(others.id)
        tasks.cancel(others.id)


def test_a_demotion_holds_at_once(others):
    otto = person("otto", Role.operator)
    with audit.acting_as(otto):
        tasks.rerun(others.id)
        change(otto, role="viewer")
        refused(lambda: tasks.cancel(others.id), "otto is a viewer; this takes the role operator")
        refused(kit.greet, "otto is a viewer; this takes the role member")


def test_a_disabled_or_deleted_account_may_do_nothing(others):
    otto = person("otto", Role.admin)
    with audit.acting_as(otto):
        change(otto, disabled_at=str(now()))
        refused(lambda: tasks.rerun(others.id), "otto has no active account")
        kit.execute("DELETE FROM operators WHERE name = 'otto'")
        refused(kit.greet, "otto has no active account")


def test_an_event_says_who_what_from_where_and_why():
    otto = person("otto", Role.operator)
    task = kit.greet()
    with audit.acting_as(otto, ip="192.0.2.7", user_agent="Firefox", request_id="r1"):
        tasks.reprioritise(task.id, 90, "it is late")
        tasks.cancel(task.id, "wrong album")
        tasks.rerun(task.id, reason="right after all")
    (moved,), (cancelled,), (rerun,) = (kit.events(verb, task) for verb in ("reprioritise", "cancel", "rerun"))
    assert (moved.before, moved.after, moved.reason) == ({"priority": 50}, {"priority": 90}, "it is late")
    assert cancelled.before == {"status": "queued", "cancel_requested": False}
    assert cancelled.after == {"status": "cancelled", "cancel_requested": True}
    assert (rerun.before, rerun.after) == ({"status": "cancelled"}, {"status": "queued"})
    for event in (moved, cancelled, rerun):
        assert (event.actor_kind, event.actor_id, event.entity) == ("operator", "otto", "task")
        assert (event.ip, event.user_agent, event.request_id) == ("192.0.2.7", "Firefox", "r1")
        assert event.at.tzinfo is not None


def test_a_rerun_of_dependents_is_recorded_for_each():
    task = kit.greet()
    child = kit.greet(needs=[task])
    tasks.cancel(task.id)
    tasks.rerun(task.id, dependents=True, reason="mended")
    (event,) = kit.events("rerun", child)
    assert (event.before, event.after, event.reason) == ({"status": "cancelled"}, {"status": "pending"}, "mended")


def test_a_browser_may_call_itself_anything():
    task = kit.greet()
    with audit.acting_as(
        person("otto", Role.operator), user_agent="Mozilla\0" * 500, ip="x" * 100, request_id="y" * 99
    ):
        tasks.cancel(task.id)
    (event,) = kit.events("cancel", task)
    assert (len(event.user_agent), len(event.ip), len(event.request_id)) == (300, 45, 64)


def test_a_refused_act_within_a_larger_transaction_leaves_no_trace_of_it(others):
    with audit.acting_as(person("mia", Role.member)), transaction():
        own = kit.greet()
        for act in ACTS.values():
            with pytest.raises(Forbidden):
                act(others)
    assert kit.status(own)[0].value == "queued"
    assert kit.scalar("SELECT count(*) FROM events") == 0
