"""Queues and keys: pause, resume, limit."""

import pytest

from models import Operator, Role, Status, transaction
from services import audit, queues, tasks
from services.errors import Forbidden, InvalidInput, NotFound
from tests.services import kit


def operator(role: Role) -> Operator:
    with transaction() as session:
        session.add(row := Operator(name=role.value, role=role))
    return row


def test_a_paused_queue_gives_nothing_until_it_is_resumed(core, rings):
    task = kit.greet()
    queues.pause("default", "month end close")
    assert kit.take() == []
    rings.clear()
    assert not queues.resume("default").paused
    assert rings == ["default"]
    assert [c.id for c in kit.take()] == [task.id]


def test_a_pause_and_a_resume_are_in_the_audit_trail_with_who_and_why(core):
    kit.greet()
    with audit.acting_as(operator(Role.operator)):
        state = queues.pause("default", "month end close")
        queues.resume("default", "closed")
    (paused,), (resumed,) = kit.events("pause"), kit.events("resume")
    assert (state.paused_by, state.pause_reason) == ("operator:operator", "month end close")
    assert (paused.actor_id, paused.entity, paused.entity_id, paused.reason) == (
        "operator", "queue", "default", "month end close",
    )  # fmt: skip
    assert resumed.before == {"paused": True, "reason": "month end close"}
    assert resumed.reason == "closed"


def test_doing_it_twice_is_told_once(core):
    kit.greet()
    first = queues.pause("default", "month end close")
    assert queues.pause("default", "month end close") == first
    queues.resume("default")
    queues.resume("default")
    assert len(kit.events("pause")) == len(kit.events("resume")) == 1


def test_another_reason_for_a_pause_is_kept_and_the_time_is_not_moved(core):
    kit.greet()
    first = queues.pause("default", "month end close")
    second = queues.pause("default", "and the audit")
    assert (second.paused_at, second.pause_reason) == (first.paused_at, "and the audit")


@pytest.mark.parametrize("role", [Role.viewer, Role.member])
@pytest.mark.parametrize(
    "act",
    [
        lambda: queues.pause("default", "why"),
        lambda: queues.resume("default"),
        lambda: queues.set_max_running("default", 1),
        lambda: queues.set_key_limit("k", 1),
    ],
)
def test_only_operators_steer_queues(core, role, act):
    kit.greet()
    with audit.acting_as(operator(role)), pytest.raises(Forbidden):
        act()
    assert kit.count("TRUE") == 1
    assert kit.scalar("SELECT count(*) FROM events") == 0


def test_an_unknown_queue_is_refused_with_near_names(core):
    kit.greet()
    with pytest.raises(NotFound, match=r"there is no queue 'defualt'; did you mean default\?"):
        queues.pause("defualt", "why")
    with pytest.raises(NotFound, match="there is no queue 'gpu'; known are default"):
        queues.set_max_running("gpu", 3)


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda: queues.pause("default", ""), "reason"),
        (lambda: queues.pause("default", "x" * 501), "reason"),
        (lambda: queues.set_max_running("default", 0), "max_running"),
        (lambda: queues.set_max_running("default", True), "max_running"),
        (lambda: queues.set_key_limit("k", 0), "max_running"),
        (lambda: queues.set_key_limit("", 2), "concurrency_key"),
    ],
)
def test_values_that_cannot_be_are_refused(core, act, field):
    kit.greet()
    with pytest.raises(InvalidInput) as refused:
        act()
    assert refused.value.field == field


def test_a_limit_holds_and_raising_it_rings(core, rings):
    for _ in range(5):
        kit.greet()
    queues.set_max_running("default", 2)
    assert len(kit.take()) == 2
    assert kit.take() == []
    rings.clear()
    queues.set_max_running("default", 4)
    assert rings == ["default"]
    assert len(kit.take()) == 2
    assert queues.set_max_running("default", None).max_running is None
    assert len(kit.take()) == 1


def test_raising_a_keys_limit_lets_its_parked_tasks_go_on(core, rings):
    for _ in range(4):
        kit.greet(concurrency_key="customer-7")
    assert len(kit.take()) == 1
    rings.clear()
    assert queues.set_key_limit("customer-7", 3) == 2
    assert rings == ["default"]
    assert len(kit.take()) == 2
    (event,) = kit.events("limit")
    assert (event.entity_id, event.before, event.after) == ("customer-7", {"max_running": 1}, {"max_running": 3})


def test_a_keys_limit_can_be_set_before_its_first_task(core):
    assert queues.set_key_limit("customer-8", 2) == 0
    for _ in range(3):
        kit.greet(concurrency_key="customer-8")
    assert len(kit.take()) == 2


def test_the_list_shows_how_queues_stand(core):
    counted = tasks.enqueue("count", {})
    old = [kit.greet(), kit.greet(priority=90), kit.greet(priority=10)]
    kit.take(1)  # the urgent one
    queues.set_max_running("default", 7)
    default, numbers = queues.list_queues()
    assert (default.name, default.depth, default.running, default.pending) == ("default", 2, 1, 0)
    assert (default.max_running, default.paused) == (7, False)
    assert default.oldest_queued_at == tasks.get(old[0].id).queued_at
    assert (numbers.name, numbers.depth, numbers.running) == ("numbers", 1, 0)
    assert numbers.oldest_queued_at == counted.queued_at


def test_what_waits_longest_is_found_in_every_priority(core):
    newest_first = [kit.greet(priority=p) for p in (90, 50, 10)]
    kit.execute("UPDATE tasks SET queued_at = '2026-01-02 03:04:05.000000' WHERE priority = 10")
    assert queues.get("default").oldest_queued_at == tasks.get(newest_first[2].id).queued_at
    kit.run_all()
    assert queues.get("default").oldest_queued_at is None
    assert kit.status(*newest_first) == [Status.completed] * 3
