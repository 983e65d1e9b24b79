"""Driving the core without a worker: types, claims, endings, races, and what must hold after everything."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ConfigDict, create_model
from sqlalchemy import event, insert, select, text, update

from models import Event, Move, Outcome, Status, Task, now, reading, tables, transaction
from models.db import engine
from services import catalog, doctor, tasks
from services.errors import ServiceError
from services.lifecycle.claim import claim
from services.lifecycle.ending import Batch, Ending, end
from services.lifecycle.needs import settle_rest
from services.lifecycle.take import Claimed

TYPES = ["greet", "count"]
WRITTEN = (
    "tasks", "task_bodies", "task_needs", "key_limits", "queues", "rollup_deltas", "events", "schedules", "artifacts",
    "saved_views", "operators",
)  # fmt: skip
OUTCOMES = {
    Move.complete: Outcome.completed, Move.fail: Outcome.failed, Move.defer: Outcome.retried,
    Move.stop: Outcome.cancelled, Move.hand_back: Outcome.handed_back, Move.rescue: Outcome.lost,
}  # fmt: skip


_takers: dict[tuple[int, int], str] = {}  # who took which attempt


def a_type(name: str, **options: Any) -> catalog.TaskType:
    """A task type that takes any of a few arguments, and nothing else."""
    fields: dict[str, Any] = {"name": (str, "world"), "n": (int, 0), "ratio": (float, 0.5), "data": (Any, None)}
    return catalog.TaskType(name, create_model(name, __config__=ConfigDict(extra="forbid"), **fields), **options)


@contextmanager
def known(*types: catalog.TaskType):
    """Make types known in this process for a while."""
    _takers.clear()
    for each in types:
        catalog.register(each)
    try:
        yield
    finally:
        for each in types:
            catalog.unregister(each.name)


def greet(**options: Any) -> Task:
    """Enqueue one."""
    return tasks.enqueue("greet", {}, **options)


def take(
    limit: int = 100, worker: str = "w", *, queues: list[str] | None = None, lease_s: float = 60.0
) -> list[Claimed]:
    """Claim as a worker process does."""
    claimed = claim(worker, TYPES, queues, limit, lease_s)
    _takers.update({(one.id, one.epoch): worker for one in claimed})
    return claimed


def take_one(task: Task) -> Claimed:
    """Claim the task that is first in line, which must be this one."""
    (claimed,) = take(1)
    assert claimed.id == task.id
    return claimed


def ending(claimed: Claimed, move: Move = Move.complete, **more: Any) -> Ending:
    """How an attempt ended, as the runtime of who took it hands it over."""
    at, worker = now(), more.pop("worker", None) or _takers.get((claimed.id, claimed.epoch), "w")
    values = {"started_at": at, "queued_at": claimed.queued_at, "concurrency_key": claimed.concurrency_key}
    if move in (Move.fail, Move.defer):
        values |= {"tried": True, "error_class": "ValueError", "error_text": "no such album"}
    if move is Move.defer:
        values |= {"run_at": at}
    if move is Move.complete:
        values |= {"result": '{"done": true}'}
    return Ending(
        claimed.id, claimed.epoch, claimed.type, claimed.queue, worker, move, more.pop("outcome", OUTCOMES[move]), at,
        **{**values, **more},
    )  # fmt: skip


def commit(*endings: Ending) -> list[Ending]:
    """Commit endings as one batch; returns the fenced."""
    with transaction() as session:
        return end(session, Batch(endings))


def finish(claimed: Claimed | Iterable[Claimed], move: Move = Move.complete, **more: Any) -> list[Ending]:
    """End attempts in one batch; returns the fenced."""
    many = [claimed] if isinstance(claimed, Claimed) else list(claimed)
    return commit(*(ending(each, move, **more) for each in many))


def run_all(limit: int = 10_000) -> int:
    """Claim and complete until nothing is in line; returns how many."""
    done = 0
    while got := take(500):
        assert not finish(got)
        done += len(got)
        assert done <= limit, "there is no end to it"
    return done


def status(*given: Task | int) -> list[Status]:
    """Where tasks stand now."""
    ids = [each.id if isinstance(each, Task) else each for each in given]
    with reading() as session:
        found = dict(session.execute(select(Task.id, Task.status).where(Task.id.in_(ids))).all())
    return [found[i] for i in ids]


def wire(edges: Iterable[tuple[int, int]]) -> None:
    """Let waiting tasks need others, (child, parent) each: many at once, as thousands of `enqueue` would leave them."""
    rows = [{"child": child, "parent": parent} for child, parent in edges]
    waits = Counter(row["child"] for row in rows)
    with transaction() as session:
        session.execute(insert(tables.task_needs), rows)
        for n in set(waits.values()):
            ids = [child for child, m in waits.items() if m == n]
            session.execute(
                update(tables.tasks)
                .where(Task.id.in_(ids), Task.status == Status.pending)
                .values(waits_on=n, run_at=now())
            )


def waiting(many: int) -> list[int]:
    """Tasks that wait, to be wired."""
    return tasks.enqueue_many("greet", [{}] * many, run_at=now() + timedelta(hours=1))


def settle_everything() -> int:
    """What the beats do for endings with more children than fit in one; returns how many calls had work."""
    calls = 0
    while settle_rest():
        calls += 1
    return calls


def count(where: str = "TRUE", **values: Any) -> int:
    """How many tasks are so."""
    return scalar(f"SELECT count(*) FROM tasks WHERE {where}", **values)


def scalar(sql: str, **values: Any) -> Any:
    """One value from the ledger."""
    with reading() as session:
        return session.execute(text(sql), values).scalar()


def execute(sql: str, **values: Any) -> None:
    """Change the ledger behind the services' back, as time and accidents do."""
    with transaction() as session:
        session.execute(text(sql), values)


@contextmanager
def watching(statements: list[str]):
    """Collect the statements that this process sends meanwhile."""

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    with hooked("before_cursor_execute", note):
        yield


@contextmanager
def hooked(name: str, hook: Callable[..., None]):
    """Let the engine call this hook meanwhile."""
    event.listen(engine(), name, hook)
    try:
        yield
    finally:
        event.remove(engine(), name, hook)


def events(verb: str, task: Task | int | None = None) -> list[Event]:
    """The audit trail's rows of one verb, oldest first."""
    query = "SELECT id FROM events WHERE verb = :verb ORDER BY id"
    with reading() as session:
        ids = session.execute(text(query), {"verb": verb}).scalars().all()
        rows = [session.get_one(Event, i) for i in ids]
    wanted = None if task is None else str(task.id if isinstance(task, Task) else task)
    return [row for row in rows if wanted is None or row.entity_id == wanted]


def refused(act: Callable[[], Any], kind: type[Exception] = ServiceError) -> str:
    """The sentence of a refusal that wrote nothing."""
    before = written()
    with pytest.raises(kind) as caught:
        act()
    assert written() == before
    sentence = str(caught.value)
    assert len(sentence) < 700, "a sentence, not a dump"
    return sentence


def written() -> int:
    """How many rows there are of what an act may write."""
    return scalar(f"SELECT {' + '.join(f'(SELECT count(*) FROM {name})' for name in WRITTEN)}")


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at once, a thread each; returns what each returned or raised."""
    return race(1, *(lambda _, act=act: act() for act in acts))[0]


def race(rounds: int, *acts: Callable[[int], Any]) -> list[list[Any]]:
    """Do `act(round)` for all acts at once, round by round; returns for each round what each returned or raised."""
    start = threading.Barrier(len(acts))
    outcomes: list[list[Any]] = [[None] * len(acts) for _ in range(rounds)]

    def runner(n: int, act: Callable[[int], Any]) -> None:
        for round_ in range(rounds):
            start.wait(30)
            try:
                outcomes[round_][n] = act(round_)
            except Exception as error:
                outcomes[round_][n] = error

    threads = [threading.Thread(target=runner, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a racer is stuck"
    return outcomes


def gauges() -> Counter[tuple[str, str, str]]:
    """How many tasks stand where, by the counts that are kept: (type, queue, status)."""
    both = "SELECT type, queue, measure, n FROM rollups WHERE hour = 0 UNION ALL " \
           "SELECT type, queue, measure, n FROM rollup_deltas WHERE hour = 0"  # fmt: skip
    with reading() as session:
        rows = session.execute(
            text(f"SELECT type, queue, measure, sum(n) AS n FROM ({both}) AS each_one GROUP BY type, queue, measure")
        ).all()
    return Counter({(r.type, r.queue, r.measure): int(r.n) for r in rows if r.n})


CROWDED_KEYS = """
    SELECT k.key FROM key_limits k WHERE k.max_running <
        (SELECT count(*) FROM tasks t WHERE t.concurrency_key = k.key AND t.status = 'running')"""


def assert_sound(but: Collection[str] = ("tries-in-bounds",)) -> None:
    """What must hold after everything: the doctor finds nothing; what only a living crew could do is not asked for.

    And no key runs more than its limit, which the doctor does not ask: a limit may be lowered while they run. Nor does
    anything run that is held.
    `but`: rules that are left out. Whether to try again is decided by who ends an attempt: where tests do, they need
    not count.
    """
    lasting = [c for c in doctor.CHECKS if c.tended is doctor.Tended.always and c.name not in but]
    found = [
        f"{finding} ({result.check.name})" for result in doctor.examine(checks=lasting) for finding in result.findings
    ]
    assert not found, "\n".join(found)
    assert scalar(CROWDED_KEYS) is None
    assert not count("held_reason IS NOT NULL AND status IN ('queued', 'running', 'completed')"), "held, and goes on"
