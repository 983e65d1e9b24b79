"""When the doctor says nothing, although it looks: where nobody is at work, and of what is on its way."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from models import Move, Operator, Role, now, transaction
from services import doctor, folding, tasks
from services.audit import acting_as
from services.errors import Forbidden, ServiceError
from services.lifecycle.batch import stamp
from services.lifecycle.needs import settle_rest
from services.lifecycle.release import release, unpark
from tests.services import kit
from tests.services.doctor.harms import a_parked_task, abandoned, change, due_for_long, overdue_schedule
from tests.services.doctor.looks import at_work, broken


def test_where_nobody_is_at_work_or_has_only_just_begun_nothing_counts_as_late(patient):
    due_for_long(), abandoned(), a_parked_task(), overdue_schedule()
    kit.execute("UPDATE workers SET started_at = :at", at=stamp(now()))
    results = doctor.examine(patience=0)
    assert not [r.check.name for r in results if r.findings]
    assert {r.skipped for r in results if r.skipped} == {
        "no worker or scheduler has been at work for ten seconds", "no scheduler has been at work for ten seconds",
    }  # fmt: skip
    at_work("worker", timedelta(days=1), "old")
    assert set(broken()) == {"due-and-waiting", "abandoned"}


def test_what_was_on_its_way_at_the_first_look_is_not_told(patient):
    task = due_for_long()
    paused = threading.Event()

    def meanwhile(_: float) -> None:
        tasks.cancel(task)
        paused.set()

    assert not [r for r in doctor.examine(waiting=meanwhile, patience=0) if r.findings]
    assert paused.is_set()


def test_a_repair_takes_an_admin(patient):
    change("UPDATE tasks SET waits_on = 5 WHERE id = :id", "pending")
    with transaction() as session:
        session.add(olga := Operator(name="olga", role=Role.operator))
        session.flush()
    with acting_as(olga), pytest.raises(Forbidden, match="admin"):
        doctor.repair_all(patience=0)
    assert set(broken()) == {"waits-on"}


def test_a_busy_ledger_raises_no_alarm(patient):
    over = threading.Event()

    def work(worker: str) -> None:
        while not over.is_set():
            parents = tasks.enqueue_many("greet", [{}] * 5, concurrency_key="k", max_running=3)
            kit.greet(needs=parents[:2], on_parent_failure="run_anyway")
            kit.greet(run_at=now() + timedelta(milliseconds=20), unique_key=worker)
            first, *others = kit.take(6, worker) or [None]
            kit.finish(others)
            if first is not None:
                kit.finish(first, Move.hand_back)
            with suppress(ServiceError):
                tasks.cancel(parents[-1])
            for chore in (release, unpark, settle_rest, folding.fold):
                chore()

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(3)]
    for each in workers:
        each.start()
    try:
        looks = 0
        while looks < 12 or kit.count("status = 'completed'") < 60:
            assert not broken()
            looks += 1
    finally:
        over.set()
        for each in workers:
            each.join()
    kit.assert_sound()
