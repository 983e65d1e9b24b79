"""running → what became of the attempt: a batch of endings in one transaction, fenced by epoch and worker.

Of all attempts of a task exactly one finds its row still running under its epoch, and for its worker: a server that
lost what it had answered for, by a failover or an older copy, gives ids and epochs out again. With it go, all or none,
the result, the attempt's row, the tasks that wait for it, and the counts. All that can be worked out before the
transaction is: on SQLite nobody else writes while it is open.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel import Session

from models import FINISHED, Move, Outcome, Status, now, reading, tables
from models.db import is_postgresql
from services import bell
from services.lifecycle import landing, limits
from services.lifecycle.batch import fetch, listed, packed, per_database, stamp, still, whole
from services.lifecycle.complete_at_once import complete_at_once
from services.lifecycle.counts import Deltas, bucket_of, counted, gauge, hour_of, record
from services.lifecycle.keys import lock_gates, unpark
from services.lifecycle.needs import settle

Key = tuple[int, int]


@dataclass(slots=True)
class Ending:
    """What one attempt came to. `move` is complete, fail, defer, stop or hand_back."""

    task_id: int
    epoch: int
    type: str
    queue: str
    worker: str
    move: Move
    outcome: Outcome
    ended_at: datetime
    started_at: datetime | None = None  # None: the body never started
    queued_at: datetime | None = None
    result: str | None = None  # JSON text
    error_class: str | None = None
    error_text: str | None = None
    traceback: str | None = None
    fingerprint: str | None = None
    run_at: datetime | None = None  # defer: when to try again
    cancel_seen_at: datetime | None = None
    cancel_reason: str | None = None
    forced: bool = False
    lost: bool = False  # its child process died under it
    first: bool = False  # the task's first claim: nothing of earlier ones is to be cleared away
    tried: bool = False  # it spends a try: an attempt that ended in an error
    concurrency_key: str | None = None
    code_version: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)  # engine, model, tokens, cost, cpu_s, peak_rss

    @property
    def key(self) -> Key:
        """(task id, epoch): this attempt and no other."""
        return self.task_id, self.epoch


class Plan:
    """What endings mean for the ledger if each attempt still owns its task, as parameters of the statements."""

    def __init__(self, endings: Mapping[Key, Ending], stopped: Collection[Key] = ()) -> None:
        """`stopped`: the attempts of tasks whose cancellation was asked for."""
        self.status = {key: _status(e, key in stopped) for key, e in endings.items()}
        # What was never started leaves no attempt: nothing happened.
        begun = [e for e in endings.values() if e.started_at or e.move is not Move.hand_back]
        plain = [e for e in begun if e.move is Move.complete and not e.extras]
        self.completed = self._packed(e for e in endings.values() if e.move is Move.complete)
        self.others = self._packed(e for e in endings.values() if e.move is not Move.complete)
        self.plain_attempts = self.completed if len(plain) == len(endings) else self._packed(plain)
        self.full_attempts = self._packed(e for e in begun if e.move is not Move.complete or e.extras)
        self.bodies = _packed_bodies(endings.values())
        self.finished = {key[0]: status for key, status in self.status.items() if status in FINISHED}
        self.requeued = {e.queue for key, e in endings.items() if self.status[key] is Status.queued}
        self.queues = {e.queue for e in endings.values()}
        self.deltas = self._deltas(endings)

    def _packed(self, endings: Iterable[Ending]) -> str | None:
        rows = [_row(e, self.status[e.key]) for e in endings]
        return packed(rows) if rows else None

    def _deltas(self, endings: Mapping[Key, Ending]) -> Deltas:
        deltas = Deltas()
        for (type_, queue, is_), n in Counter((e.type, e.queue, self.status[k]) for k, e in endings.items()).items():
            gauge(deltas, type_, queue, Status.running, is_, n)
        for key, e in endings.items():
            outcome = _outcome(e, self.status[key])
            happened(deltas, e.type, e.queue, outcome, e.queued_at, e.started_at, e.ended_at)
        return deltas


class Batch:
    """Endings for one transaction, made ready before it opens."""

    def __init__(self, endings: Iterable[Ending]) -> None:
        once = {e.key: e for e in reversed(list(endings))}  # told twice, the first counts
        self.endings = dict(sorted(once.items()))  # as the rows stand in the tables
        self.owners = {(*key, e.worker) for key, e in self.endings.items()}
        self.keys = {e.concurrency_key for e in self.endings.values() if e.concurrency_key}
        self.plan = Plan(self.endings)
        plain = self.plan.plain_attempts is not None and self.plan.plain_attempts is self.plan.completed
        self.is_usual = is_postgresql() and plain and not self.keys  # what one statement can do

    def plan_for(self, owned: Mapping[Key, bool]) -> Plan:
        """The plan for those that own their tasks (the value: whether cancellation was asked for)."""
        if len(owned) == len(self.endings) and not any(owned.values()):
            return self.plan
        return Plan({key: self.endings[key] for key in owned}, {key for key, stops in owned.items() if stops})


def end(session: Session, batch: Batch) -> list[Ending]:
    """Apply the endings of attempts that still own their task. Returns those that do not: they changed nothing."""
    if batch.is_usual and _complete_at_once(session, batch):
        _follow(session, batch.plan)
        return []
    gates = lock_gates(session, batch.keys)
    owned = _lock(session, batch)
    if owned:
        plan = batch.plan_for(owned)
        _apply(session, plan)
        unpark(session, gates)
        _follow(session, plan)
    fenced = [e for key, e in batch.endings.items() if key not in owned]
    if fenced:
        session.execute(insert(tables.events), [_fence_event(e) for e in fenced])
    return fenced


def _complete_at_once(session: Session, batch: Batch) -> bool:
    plan = batch.plan
    assert plan.completed is not None
    return complete_at_once(session, batch.endings, plan.completed, plan.bodies, packed(counted(plan.deltas)))


def _follow(session: Session, plan: Plan) -> None:
    """What endings mean for other tasks, asked once their own are locked: a child may have come just before."""
    settle(session, plan.finished)
    for queue in plan.requeued | (limits.known & plan.queues):
        bell.ring_after_commit(queue)


def _lock(session: Session, batch: Batch) -> dict[Key, bool]:
    """Lock the tasks that these attempts own; the value: whether it was asked to stop."""
    rows = fetch(session, _running(), {"ids": listed([task for task, _ in batch.endings])})
    return {(task, epoch): bool(stops) for task, epoch, by, stops in rows if (task, epoch, by) in batch.owners}


@per_database
def _running() -> Any:
    return whole(landing.running())


def _apply(session: Session, plan: Plan) -> None:
    steps = (
        (landing.complete, plan.completed),
        (landing.move, plan.others),
        (landing.insert_plain_attempts, plan.plain_attempts),
        (landing.insert_attempts, plan.full_attempts),
        (landing.fill_bodies, plan.bodies),
    )
    for statement, rows in steps:
        if rows is not None:
            session.execute(statement(), {"given": rows})
    record(session, plan.deltas)


def _status(e: Ending, stopped: bool) -> Status:
    """A retry or a hand-back of a task whose cancellation was asked for is its cancellation."""
    stops = stopped and e.move.target in (Status.pending, Status.queued)
    return Status.cancelled if stops else e.move.target


def _outcome(e: Ending, status: Status) -> Outcome:
    return Outcome.cancelled if status is Status.cancelled else e.outcome


def _row(e: Ending, status: Status) -> dict[str, Any]:
    """What both the task's and the attempt's statement read; what is None stays away."""
    row: dict[str, Any] = {
        "id": e.task_id, "epoch": e.epoch, "ended_at": stamp(e.ended_at), "worker": e.worker,
        "code_version": e.code_version, "outcome": _outcome(e, status), "forced": e.forced,
    }  # fmt: skip
    if e.started_at is not None:
        row["started_at"] = stamp(e.started_at)
    if e.move is not Move.complete:
        seldom = {
            "status": status, "tried": int(e.tried), "lost": int(e.lost), "run_at": e.run_at,
            "error_class": e.error_class, "error_text": e.error_text, "traceback": e.traceback,
            "fingerprint": e.fingerprint, "cancel_seen_at": e.cancel_seen_at, "cancel_reason": e.cancel_reason,
        }  # fmt: skip
        row |= {name: value for name, value in seldom.items() if value is not None}
    return row | e.extras if e.extras else row


def _packed_bodies(endings: Iterable[Ending]) -> str | None:
    rows = [
        {"id": e.task_id, "result": e.result, "bytes": len((e.result or "").encode()), "error_text": e.error_text}
        for e in endings
        if e.result is not None or e.error_text is not None or (e.move is Move.complete and not e.first)
    ]
    return packed(rows) if rows else None


def happened(
    deltas: Deltas,
    type_: str,
    queue: str,
    outcome: Outcome,
    queued_at: datetime | None,
    started_at: datetime | None,
    ended_at: datetime,
) -> None:
    """Note one ended attempt: its outcome, how long it waited and how long it ran.

    Of what had not started nothing is noted but that it was cancelled.
    """
    hour = hour_of(ended_at)
    if started_at is not None or outcome is Outcome.cancelled:
        deltas[hour, type_, queue, outcome, 0] += 1
    if started_at is None:
        return
    deltas[hour, type_, queue, "run", bucket_of((ended_at - started_at).total_seconds())] += 1
    if queued_at is not None:
        deltas[hour, type_, queue, "wait", bucket_of((started_at - queued_at).total_seconds())] += 1


def _fence_event(e: Ending) -> dict[str, Any]:
    return {
        "at": now(), "actor_kind": "system", "actor_id": e.worker, "verb": "fence", "entity": "task",
        "entity_id": str(e.task_id), "after": {"epoch": e.epoch, "refused": e.outcome.value},
        "reason": "a late ending of an attempt that no longer owned its task",
    }  # fmt: skip


def already_ended(endings: Sequence[Ending]) -> set[Key]:
    """Which of these endings have landed: asked after a commit whose answer was lost.

    The same instant tells one's own ending from that of a rescuer, who was faster.
    """
    ids = [e.task_id for e in endings]
    a, t = tables.attempts.c, tables.tasks.c
    with reading() as session:
        rows = session.execute(select(a.task_id, a.epoch, a.ended_at).where(a.task_id.in_(ids)))
        ended = {(row.task_id, row.epoch): row.ended_at for row in rows}
        running = select(t.id, t.epoch).where(t.id.in_(ids), still(t, "running"))
        open_ = {(row.id, row.epoch) for row in session.execute(running)}
    return {e.key for e in endings if ended.get(e.key) == e.ended_at or (_leaves_nothing(e) and e.key not in open_)}


def _leaves_nothing(e: Ending) -> bool:
    """A hand-back of what was never started: no attempt is written, and whoever took it back did the same."""
    return e.move is Move.hand_back and e.started_at is None
