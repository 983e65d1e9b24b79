"""Whoever may only look changes nothing, by whatever door of the services."""

import ast
import sys
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from models import Move, Role, now, tables
from services import (
    artifacts,
    audit,
    audit_export,
    bulk,
    doctor,
    error_counts,
    error_groups,
    history,
    operators,
    queues,
    samples,
    saved_views,
    schedules,
    sessions,
    tasks,
    workers,
)  # fmt: skip
from services.audit import acting_as
from services.bulk import Act
from services.doctor import checkup
from services.errors import Forbidden
from services.search import TaskFilter
from settings import ROOT
from tests.services import kit
from tests.support import one_ledger

LOOKED_AT = (
    tables.tasks, tables.queues, tables.workers, tables.operators, tables.artifacts,
    tables.saved_views, tables.error_groups, tables.schedules, tables.events, tables.key_limits,
)  # fmt: skip
There = SimpleNamespace


@pytest.fixture
def there(core: str) -> There:
    """One of everything, each of another person."""
    olga, vera = operators.create("olga", Role.operator), operators.create("vera", Role.viewer)
    with acting_as(olga):
        failed, waits = kit.greet(), kit.greet(priority=10, concurrency_key="k")
        view = saved_views.save("Mine", {"status": ["Failed"]}, shared=True)
        schedule = schedules.create("greet often", "greet", {}, every=timedelta(hours=1))
        plan = bulk.plan(Act.cancel, TaskFilter(type="greet"))
    kit.finish(
        kit.take_one(failed), Move.fail, fingerprint="greet-broke", error_class="ValueError", error_text="it broke"
    )
    error_counts.fold()
    session = sessions.check(sessions.redeem(sessions.link(olga.id), None, None))
    assert session is not None
    return There(
        failed=failed.id, waits=waits.id, view=view.id, schedule=schedule.id, olga=olga.id, vera=vera,
        session=session.id, worker=workers.register(types=["greet"]), plan=plan, checked=checkup.Checkup(1.0),
    )  # fmt: skip


ACTS: dict[str, Callable[[There], Any]] = {
    "enqueue": lambda t: tasks.enqueue("greet", {}),
    "enqueue many": lambda t: tasks.enqueue_many("greet", [{}]),
    "run again": lambda t: tasks.run_again(t.failed),
    "cancel": lambda t: tasks.cancel(t.waits),
    "rerun": lambda t: tasks.rerun(t.failed),
    "release": lambda t: tasks.release(t.waits),
    "reprioritise": lambda t: tasks.reprioritise(t.waits, 90),
    "delete": lambda t: tasks.delete(t.failed),
    "restore": lambda t: tasks.restore(t.failed),
    **{f"{act} many": lambda t, act=act: bulk.plan(act, TaskFilter(type="greet")) for act in Act},
    "start a bulk act": lambda t: _bulk(t),
    "run the sample": lambda t: samples.run(),
    "pause a queue": lambda t: queues.pause("default", "why not"),
    "resume a queue": lambda t: queues.resume("default"),
    "limit a queue": lambda t: queues.set_max_running("default", 1),
    "limit a key": lambda t: queues.set_key_limit("k", 9),
    "stop a worker": lambda t: workers.request_stop(t.worker),
    "resolve an error": lambda t: error_groups.resolve("greet-broke"),
    "ignore an error": lambda t: error_groups.ignore("greet-broke"),
    "open an error": lambda t: error_groups.reopen("greet-broke"),
    "store a file": lambda t: artifacts.save("a.txt", b"hello"),
    "share a view": lambda t: saved_views.save("Ours", {}, shared=True),
    "rename a view": lambda t: saved_views.rename(t.view, "Theirs"),
    "delete a view": lambda t: saved_views.delete(t.view),
    "create a schedule": lambda t: schedules.create("mine", "greet", {}, every=timedelta(hours=1)),
    "change a schedule": lambda t: schedules.update(t.schedule, priority=90),
    "disable a schedule": lambda t: schedules.disable(t.schedule, "why not"),
    "enable a schedule": lambda t: schedules.enable(t.schedule),
    "delete a schedule": lambda t: schedules.delete(t.schedule),
    "run a schedule now": lambda t: schedules.run_now(t.schedule),
    "backfill a schedule": lambda t: schedules.backfill(t.schedule, now() - timedelta(hours=3), now()),
    "declare a schedule": lambda t: schedules.ensure("ours", "greet", {}, every=timedelta(hours=1)),
    "go on with another's bulk act": lambda t: list(bulk.Run(t.plan).go("why not")),
    "check the ledger": lambda t: checkup.begin(),
    "look at the last check": lambda t: checkup.latest(),
    "repair what a check found": lambda t: checkup.repair(t.checked),
    "repair the ledger": lambda t: doctor.repair([]),
    "read the audit trail": lambda t: history.events(),
    "export the audit trail": lambda t: audit_export.begin(),
    "add an account": lambda t: operators.create("eve", Role.admin),
    "raise their role": lambda t: operators.set_role(t.vera.id, Role.admin),
    "set another's password": lambda t: operators.set_password(t.olga, "correct horse battery"),
    "disable an account": lambda t: operators.disable(t.olga),
    "enable an account": lambda t: operators.enable(t.olga),
    "make a link": lambda t: sessions.link(t.olga),
    "see who is signed in": lambda t: sessions.list_sessions(),
    "end another's session": lambda t: sessions.revoke(t.session),
}  # fmt: skip


def _bulk(there: There) -> None:
    job = bulk.start(Act.cancel, [there.waits])
    assert job.wait(30)
    assert job.run is None
    raise Forbidden(job.sentence or "")


def everything() -> list[int]:
    """How many rows there are of all that could change."""
    names = [*(table.name for table in LOOKED_AT), "sessions"]
    return [kit.scalar(f"SELECT count(*) FROM {name}") for name in names]


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_viewer_is_refused_by_every_act_and_leaves_no_trace(there: There, act: Callable[[There], Any]) -> None:
    before = everything(), [tasks.get(i) for i in (there.failed, there.waits)]
    with acting_as(there.vera), pytest.raises(Forbidden, match="vera|belongs to another person"):
        act(there)
    assert (everything(), [tasks.get(i) for i in (there.failed, there.waits)]) == before
    assert not queues.get("default").paused
    assert {one.name: one.role for one in operators.list_operators()} == {"olga": Role.operator, "vera": Role.viewer}


def askers() -> set[tuple[str, str]]:
    """The functions of the services that ask for a role above a viewer's: file, name."""
    found = set()
    for file in (ROOT / "services").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef):
                asked = [ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Call)]
                if any(words.startswith("audit.require") and words != "audit.require(Role.viewer)" for words in asked):
                    found.add((str(file), function.name))
    return found


@one_ledger
def test_every_service_that_asks_for_more_than_a_viewer_s_role_is_tried(there: There, monkeypatch) -> None:
    tried = set()
    for name in ("require", "require_for"):

        def noting(*given: Any, real: Callable = getattr(audit, name), **more: Any) -> None:
            caller = sys._getframe(1).f_code
            tried.add((caller.co_filename, caller.co_name))
            real(*given, **more)

        monkeypatch.setattr(audit, name, noting)
    for act in ACTS.values():
        with acting_as(there.vera), pytest.raises(Forbidden):
            act(there)
    assert askers() - tried == set()


def test_an_operator_is_not_refused_by_the_same_acts_on_tasks_and_queues(there: There) -> None:
    otto = operators.create("otto", Role.operator)
    for name in (
        "reprioritise",
        "cancel",
        "rerun",
        "pause a queue",
        "resume a queue",
        "stop a worker",
        "ignore an error",
    ):
        with acting_as(otto):
            ACTS[name](there)
