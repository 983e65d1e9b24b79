"""A button is live where the service behind it would do as asked, and nowhere else."""

from datetime import timedelta

import pytest

from console.acts import ACTS, Act
from models import Move, Operator, Task, now, transaction
from services import tasks
from services.audit import acting_as
from services.errors import ServiceError
from tests.console.kit import fine
from tests.services.kit import finish, take_one
from tests.support import one_ledger


class Undone(Exception):
    """So that nothing of it stays."""


def one_of_each_kind() -> dict[str, Task]:
    """Tasks in every situation that an act looks at."""
    ended = {"completed": Move.complete, "failed": Move.fail, "deleted": Move.complete}
    made = {}
    for name, move in ended.items():
        made[name] = tasks.enqueue("greet", {}, priority=100)
        finish(take_one(made[name]), move)
    tasks.delete(made["deleted"].id)
    made["running"] = tasks.enqueue("greet", {}, priority=100)
    take_one(made["running"])
    made["cancelled"] = tasks.enqueue("greet", {})
    made["held"] = tasks.enqueue("greet", {}, needs=[made["cancelled"]], on_parent_failure="hold")
    tasks.cancel(made["cancelled"].id)
    made["queued"] = tasks.enqueue("greet", {})
    made["later"] = tasks.enqueue("greet", {}, run_at=now() + timedelta(hours=1))
    return made


def would_be_done(act: Act, task: Task, person: Operator) -> bool:
    more = {"priority": 7} if act.name == "Set priority" else {}
    try:
        with acting_as(person), transaction():
            act.do(task.id, None, **more)
            raise Undone  # noqa: TRY301 - as anything that goes wrong in a transaction
    except Undone:
        return True
    except ServiceError:
        return False


@pytest.mark.parametrize("role", ["operator", "member", "viewer"])
@one_ledger
def test_a_button_is_live_exactly_where_its_act_would_not_be_refused(page, people, role):
    with acting_as(people["member"]):
        own = one_of_each_kind()
    live = 0
    for whose in (own, one_of_each_kind()):
        for kind, task in whose.items():
            test = fine(page("task", role, id=str(task.id)))
            buttons = {b.key.removeprefix("task_"): not b.disabled for b in test.button if b.key}
            for name, act in ACTS.items():
                shown, done = buttons.get(name, False), would_be_done(act, task, people[role])
                assert shown == done, f"{name} of a {kind} task"
                live += shown
    assert bool(live) == (role != "viewer")
