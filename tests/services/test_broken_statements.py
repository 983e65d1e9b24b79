"""Every statement of every act fails once: all of the act or nothing, and no harm done.

Commits are statements, too, and fail before they are done and after: whoever was not answered and asks again must not
do it twice. A statement that commits by itself, as PostgreSQL's shortest acts do, is both. What else fails after it was
done is undone with its transaction, as if it had failed before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
import time_machine
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from models import Move, Status, now
from models.db import engine, is_postgresql
from runtime import writer
from runtime.writer import Writer
from services import doctor, folding, retention, schedules, tasks
from services.errors import ServiceError
from services.lifecycle import limits, rescue
from services.lifecycle.batch import stamp
from services.lifecycle.release import expire, release
from tests.services import kit

pytestmark = pytest.mark.usefixtures("no_disk")

Act = tuple[Callable[[], Any], Callable[[], None]]  # what is done, and again after a failure; and what is true then


class Fault:
    """The nth statement fails, once."""

    def __init__(self, n: int, after: bool) -> None:
        self._n, self._after = n, after
        self._seen = 0
        self.struck = False

    def step(self, do: Callable[[], Any]) -> bool:
        """Do a statement; in the end True, as it was done here."""
        self._seen += 1
        if self._seen != self._n:
            do()
            return True
        self.struck = True
        if self._after:
            do()
        raise engine().dialect.loaded_dbapi.OperationalError("the server has gone away")


@contextmanager
def failing(n: int, after: bool) -> Iterator[Fault]:
    """Let the nth statement fail meanwhile (or the nth commit, after it was done), as the database's driver lets it."""
    fault, dialect = Fault(n, after), engine().dialect
    commit = dialect.do_commit

    def one(cursor: Any, statement: str, values: Any, _context: Any) -> bool:
        do = partial(cursor.execute, statement, values)
        return (not after or by_itself(cursor.connection)) and fault.step(do)

    def many(cursor: Any, statement: str, values: Any, _context: Any) -> bool:
        return not after and fault.step(partial(cursor.executemany, statement, values))

    def committing(connection: Any) -> None:
        if not by_itself(connection):  # then it was done before
            fault.step(partial(commit, connection))

    dialect.do_commit = committing
    hooks = (("do_execute", one), ("do_executemany", many))
    for name, hook in hooks:
        event.listen(engine(), name, hook)
    try:
        yield fault
    finally:
        dialect.do_commit = commit
        for name, hook in hooks:
            event.remove(engine(), name, hook)


def by_itself(connection: Any) -> bool:
    """Whether each statement of this connection is a commit, too."""
    return is_postgresql() and connection.autocommit


def attempts(task_id: int) -> list[str]:
    query = "SELECT coalesce(min(outcome), '') || count(*) FROM attempts WHERE task_id = :id"
    return [kit.scalar(query, id=task_id)]


def once(act: Callable[[], None]) -> Callable[[], None]:
    """The writer does it again by itself, until it is done."""
    acts = iter([act])
    return lambda: next(acts, lambda: None)()


def enqueueing() -> Act:
    parent = kit.greet()
    before = kit.count()

    def enqueue() -> None:
        tasks.enqueue("greet", {}, unique_key="u", needs=[parent], concurrency_key="k")

    def right() -> None:
        assert kit.count() == before + 1

    return enqueue, right


def enqueueing_at_once() -> Act:
    before = kit.count()

    def right() -> None:
        assert kit.count() - before in (1, 2), "who was not answered and has no key for it asks for another"
        assert kit.count() == kit.scalar("SELECT count(*) FROM task_bodies")

    return kit.greet, right


def claiming_at_once() -> Act:
    made = [kit.greet(priority=100), kit.greet(priority=100)]
    limits.forget()

    def right() -> None:
        assert kit.status(*made) == [Status.running] * 2, "by a claim that was answered, or by one that was not"
        assert kit.count("status = 'running' AND epoch = 1") == 2, "each was taken once"

    return lambda: kit.take(2), right


def claiming() -> Act:
    made = [kit.greet(priority=100), kit.greet(priority=100, concurrency_key="k")]
    kit.greet(concurrency_key="k")

    def right() -> None:
        assert kit.status(*made) == [Status.running] * 2, "by a claim that was answered, or by one that was not"
        assert kit.count("status = 'running'") == 2

    return lambda: kit.take(2), right


def completing() -> Act:
    claim = kit.take_one(kit.greet(priority=100, concurrency_key="k"))
    child = kit.greet(needs=[claim.id])
    ended, lines = kit.ending(claim), [{"id": claim.id, "epoch": claim.epoch, "seq": 1, "at": now(), "level": "info"}]

    def right() -> None:
        assert kit.status(claim.id, child) == [Status.completed, Status.queued]
        assert attempts(claim.id) == ["completed1"]
        assert not kit.events("fence", claim.id), "it refused its own ending"

    return once(lambda: Writer()._persist([ended], [{**line, "message": "done"} for line in lines], [], [])), right


def completing_at_once() -> Act:
    claims = [kit.take_one(kit.greet(priority=100)) for _ in range(2)]
    child = kit.greet(needs=[claim.id for claim in claims])
    ends = [kit.ending(claim) for claim in claims]

    def right() -> None:
        ids = [claim.id for claim in claims]
        assert kit.status(*ids, child) == [Status.completed, Status.completed, Status.queued]
        assert [attempts(task_id) for task_id in ids] == [["completed1"]] * 2
        assert not kit.events("fence")

    return once(lambda: Writer()._persist(ends, [], [], [])), right


def ending_otherwise() -> Act:
    moves = [Move.fail, Move.defer, Move.hand_back, Move.stop]
    claims = [kit.take_one(kit.greet(priority=100)) for _ in moves]
    child = kit.greet(needs=[claims[0].id])
    ends = [kit.ending(claim, move) for claim, move in zip(claims, moves, strict=True)]

    def right() -> None:
        wanted = [Status.failed, Status.pending, Status.queued, Status.cancelled, Status.cancelled]
        assert kit.status(*(claim.id for claim in claims), child) == wanted
        assert not [one for claim in claims for one in kit.events("fence", claim.id)]

    return once(lambda: Writer()._persist(ends, [], [], [])), right


def rescuing() -> Act:
    spent = kit.greet(priority=100)
    for _ in range(2):
        kit.take_one(spent)
        rescue.bury("w", None, "it died")
    kit.take_one(spent)
    claim = kit.take_one(kit.greet(priority=100, concurrency_key="k"))
    child = kit.greet(needs=[spent.id])
    kit.execute("UPDATE tasks SET lease_until = :at WHERE status = 'running'", at=stamp(now() - timedelta(hours=1)))

    def right() -> None:
        assert kit.status(claim.id, spent.id, child) == [Status.queued, Status.failed, Status.cancelled]
        assert (tasks.get(claim.id).losses, tasks.get(spent.id).losses) == (1, 3)

    return rescue.rescue, right


def cancelling() -> Act:
    waiting, child = (task := kit.greet()), kit.greet(needs=[task])

    def right() -> None:
        assert kit.status(waiting, child) == [Status.cancelled] * 2
        assert len(kit.events("cancel", waiting)) == 1

    return lambda: tasks.cancel(waiting.id), right


def asking_to_stop() -> Act:
    claim = kit.take_one(kit.greet(priority=100))

    def right() -> None:
        assert tasks.get(claim.id).cancel_requested_at is not None

    return lambda: tasks.cancel(claim.id), right


def running_again() -> Act:
    claim = kit.take_one(kit.greet(priority=100))
    child = kit.greet(needs=[claim.id])
    kit.finish(claim, Move.fail)

    def right() -> None:
        assert kit.status(claim.id, child) == [Status.queued, Status.pending]
        assert len(kit.events("rerun", claim.id)) == 1

    return lambda: tasks.rerun(claim.id, dependents=True), right


def releasing() -> Act:
    due = kit.greet(run_at=now() + timedelta(hours=1))
    late = kit.greet(run_at=now() + timedelta(hours=1), expires_at=now() + timedelta(hours=2))
    child = kit.greet(needs=[late])
    kit.execute("UPDATE tasks SET run_at = :at WHERE id = :id", at=stamp(now()), id=due.id)
    kit.execute("UPDATE tasks SET expires_at = :at WHERE id = :id", at=stamp(now()), id=late.id)

    def right() -> None:
        assert kit.status(due, late, child) == [Status.queued, Status.cancelled, Status.cancelled]

    return lambda: (release(), expire()), right


def letting_go() -> Act:
    old = kit.greet(priority=100)
    kit.finish(kit.take_one(old))
    kit.execute("UPDATE tasks SET finished_at = :at WHERE id = :id", at=stamp(now() - timedelta(days=500)), id=old.id)

    def right() -> None:
        for table, key in (("tasks", "id"), ("task_bodies", "task_id"), ("attempts", "task_id")):
            assert not kit.scalar(f"SELECT count(*) FROM {table} WHERE {key} = :id", id=old.id)

    return retention.purge_tasks, right


def firing() -> Act:
    made = schedules.create(f"after {kit.count()} tasks", "greet", {}, cron="0 * * * *")

    def fire() -> None:
        with time_machine.travel(made.due_at + timedelta(seconds=1), tick=False):
            schedules.fire()

    def right() -> None:
        assert kit.count("schedule_id = :id", id=made.id) == 1
        assert [fired.outcome.value for fired in schedules.history(made.id)] == ["ran"]
        schedules.disable(made.id, "it has shown enough")

    return fire, right


def adding_up() -> Act:
    kit.greet()

    def right() -> None:
        assert kit.scalar("SELECT count(*) FROM rollup_deltas") == 0

    return folding.fold, right


ACTS = [
    enqueueing, enqueueing_at_once, claiming, claiming_at_once, completing, completing_at_once, ending_otherwise,
    rescuing, cancelling, asking_to_stop, running_again, releasing, letting_go, firing,
    adding_up,
]  # fmt: skip


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("situation", ACTS, ids=lambda situation: situation.__name__)
def test_a_statement_that_fails_leaves_all_or_nothing_and_the_act_can_be_done_again(core, situation, when, monkeypatch):
    monkeypatch.setattr(writer, "AGAIN_S", 0.0)
    for n in count(1):
        act, right = situation()
        rescue.forget()
        with failing(n, after=when == "after") as fault, suppress(DBAPIError, ServiceError):
            act()
        if fault.struck:
            rescue.forget()
            with suppress(ServiceError):  # done already, and nobody was told
                act()
        right()
        clear_away()
        if not fault.struck:
            break
    assert n > 1, "nothing failed"
    lasting = [check for check in doctor.CHECKS if check.tended is doctor.Tended.always]
    assert not [str(found) for result in doctor.examine(checks=lasting) for found in result.findings]


def clear_away() -> None:
    """Everything comes to an end, so that the next round has the ledger to itself."""
    rescue.bury("w", set(), "over")
    release()
    kit.run_all()
    assert not kit.count("finished_at IS NULL"), "somebody is left behind"
