"""running → what became of the attempt: a batch of endings in one transaction, fenced by epoch.

Of all attempts of a task exactly one finds its row still running under its epoch; with it go, all or none, the result,
the attempt's row, the tasks that wait for it, and the counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    Integer,
    String,
    case,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from models import FINISHED, Move, Outcome, Status, now, tables
from models.db import is_postgresql
from services import bell
from services.lifecycle.batch import WHEN, among, given, listed, packed, per_database, stamp
from services.lifecycle.counts import Deltas, bucket_of, gauge, hour_of, record
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


def end(session: Session, endings: Sequence[Ending]) -> list[Ending]:
    """Apply the endings of attempts that still own their task. Returns those that do not: they changed nothing."""
    gates = lock_gates(session, {e.concurrency_key for e in endings if e.concurrency_key})
    attempts = {(e.task_id, e.epoch): e for e in reversed(endings)}  # told twice, the first counts
    if len(attempts) > 1 and is_postgresql():  # in id order, as an enqueue locks the tasks it needs
        session.execute(_lock(), {"ids": listed([e.task_id for e in endings])})
    completed = [e for e in attempts.values() if e.move is Move.complete]
    others = [e for e in attempts.values() if e.move is not Move.complete]
    status = _land(session, _complete(), completed) | _land(session, _move(), others)
    done = [e for e in attempts.values() if e.key in status]
    if done:
        _write_bodies(session, done)
        _count(session, done, status)
        unpark(session, gates)
        settle(session, {task: is_ for (task, _), is_ in status.items() if is_ in FINISHED})
        for queue in {e.queue for e in done if status[e.key] is Status.queued}:
            bell.ring_after_commit(queue)
    fenced = [e for e in attempts.values() if e.key not in status]
    if fenced:
        session.execute(insert(tables.events), [_fence_event(e) for e in fenced])
    return fenced


@per_database
def _lock() -> Any:
    t = tables.tasks.c
    return select(t.id).where(among(t.id), t.status == literal("running")).order_by(t.id).with_for_update()


def _land(session: Session, move: Any, endings: Sequence[Ending]) -> dict[Key, Status]:
    """Move the tasks that these attempts still own, write the attempts' rows; returns what became of each."""
    if not endings:
        return {}
    rows = packed(map(_row, endings))
    landed = {(row[0], row[1]): row[2] for row in session.execute(move, {"given": rows})}
    # What was never started leaves no attempt: nothing happened.
    begun = [e for e in endings if e.key in landed and (e.started_at or e.move is not Move.hand_back)]
    plain = all(e.move is Move.complete and not e.extras for e in endings)
    if not plain or len(begun) < len(endings):
        rows = packed({**_row(e), "outcome": _outcome(e, landed[e.key])} for e in begun)
    if begun:
        session.execute(_insert_attempts(plain), {"given": rows})
    return landed


def _row(e: Ending) -> dict[str, Any]:
    """What both the task's and the attempt's statement read; what is None stays away."""
    row: dict[str, Any] = {
        "id": e.task_id, "epoch": e.epoch, "status": e.move.target, "ended_at": stamp(e.ended_at),
        "worker": e.worker, "code_version": e.code_version, "outcome": e.outcome,
        "tried": int(e.tried), "lost": int(e.lost), "forced": e.forced,
    }  # fmt: skip
    if e.started_at is not None:
        row["started_at"] = stamp(e.started_at)
    if e.move is not Move.complete:
        seldom = {
            "run_at": e.run_at, "error_class": e.error_class, "error_text": e.error_text, "traceback": e.traceback,
            "fingerprint": e.fingerprint, "cancel_seen_at": e.cancel_seen_at, "cancel_reason": e.cancel_reason,
        }  # fmt: skip
        row |= {name: value for name, value in seldom.items() if value is not None}
    return row | e.extras if e.extras else row


@per_database
def _complete() -> Any:
    """The move that almost all make: nothing about it depends on the row."""
    v = given({"id": BigInteger(), "epoch": Integer(), "ended_at": WHEN, "started_at": WHEN}).c
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(t.id == v.id, t.epoch == v.epoch, t.status == literal("running"))
        .values(
            status=literal("completed"), finished_at=v.ended_at, updated_at=v.ended_at, progress_percent=100.0,
            started_at=func.coalesce(v.started_at, t.started_at), error_class=None, fingerprint=None,
            worker=None, lease_until=None,
        )
        .returning(t.id, t.epoch, t.status)
    )  # fmt: skip


@per_database
def _move() -> Any:
    v = given(
        {
            "id": BigInteger(), "epoch": Integer(), "status": String(), "ended_at": WHEN, "started_at": WHEN,
            "run_at": WHEN, "tried": Integer(), "lost": Integer(), "error_class": String(),
            "fingerprint": String(), "cancel_seen_at": WHEN, "cancel_reason": String(),
        }
    ).c  # fmt: skip
    t = tables.tasks.c
    # A retry or a hand-back of a task whose cancellation was asked for is its cancellation.
    stops = t.cancel_requested_at.is_not(None) & v.status.in_(["pending", "queued"])
    status = case((stops, literal("cancelled")), else_=v.status)
    over = stops | v.status.in_(["failed", "cancelled"])
    return (
        update(tables.tasks)
        .where(t.id == v.id, t.epoch == v.epoch, t.status == literal("running"))
        .values(
            status=status,
            finished_at=case((over, v.ended_at), else_=None),
            queued_at=case((status == "queued", v.ended_at), else_=t.queued_at),
            started_at=func.coalesce(v.started_at, t.started_at),
            run_at=func.coalesce(v.run_at, t.run_at),
            tries=t.tries + v.tried,
            losses=t.losses + v.lost,
            error_class=v.error_class,
            fingerprint=v.fingerprint,
            cancel_seen_at=func.coalesce(v.cancel_seen_at, t.cancel_seen_at),
            cancel_reason=func.coalesce(t.cancel_reason, v.cancel_reason),
            worker=None,
            lease_until=None,
            updated_at=v.ended_at,
        )
        .returning(t.id, t.epoch, t.status)
    )


def _write_bodies(session: Session, done: Sequence[Ending]) -> None:
    rows = [
        {"id": e.task_id, "result": e.result, "bytes": len((e.result or "").encode()), "error_text": e.error_text}
        for e in done
        if e.result is not None or e.error_text is not None or (e.move is Move.complete and not e.first)
    ]
    if rows:
        session.execute(_fill_bodies(), {"given": packed(rows)})


@per_database
def _fill_bodies() -> Any:
    v = given({"id": BigInteger(), "result": String(), "bytes": Integer(), "error_text": String()}).c
    result = v.result.cast(postgresql.JSONB) if is_postgresql() else v.result
    return (
        update(tables.task_bodies)
        .where(tables.task_bodies.c.task_id == v.id)
        .where(v.result.is_not(None) | v.error_text.is_not(None) | tables.task_bodies.c.error_text.is_not(None))
        .values(result=result, result_bytes=v.bytes, error_text=v.error_text)
    )


PLAIN_COLUMNS: dict[str, TypeEngine] = {
    "epoch": Integer(), "worker": String(), "code_version": String(), "started_at": WHEN, "ended_at": WHEN,
    "outcome": String(), "forced": Boolean(),
}  # fmt: skip
ALL_COLUMNS: dict[str, TypeEngine] = PLAIN_COLUMNS | {
    "error_class": String(), "error_text": String(), "traceback": String(), "cancel_seen_at": WHEN,
    "engine": String(), "engine_kind": String(), "model": String(), "tokens_in": Integer(), "tokens_out": Integer(),
    "tokens_cached": Integer(), "cost_micros": Integer(), "cpu_s": Float(), "peak_rss": BigInteger(),
}  # fmt: skip


def _outcome(e: Ending, status: Status) -> Outcome:
    return Outcome.cancelled if status is Status.cancelled else e.outcome


@per_database
def _insert_attempts(plain: bool) -> Any:
    columns = PLAIN_COLUMNS if plain else ALL_COLUMNS
    v = given({"id": BigInteger(), **columns})
    return insert(tables.attempts).from_select(["task_id", *columns], select(*v.c), include_defaults=False)


def _count(session: Session, done: Sequence[Ending], status: Mapping[Key, Status]) -> None:
    deltas = Deltas()
    for (type_, queue, is_), n in Counter((e.type, e.queue, status[e.key]) for e in done).items():
        gauge(deltas, type_, queue, Status.running, is_, n)
    for e in done:
        happened(deltas, e.type, e.queue, _outcome(e, status[e.key]), e.queued_at, e.started_at, e.ended_at)
    record(session, deltas)


def happened(
    deltas: Deltas,
    type_: str,
    queue: str,
    outcome: Outcome,
    queued_at: datetime | None,
    started_at: datetime | None,
    ended_at: datetime,
) -> None:
    """Note one ended attempt: its outcome, how long it waited and how long it ran."""
    if started_at is None:
        return
    hour = hour_of(ended_at)
    deltas[hour, type_, queue, outcome, 0] += 1
    deltas[hour, type_, queue, "run", bucket_of((ended_at - started_at).total_seconds())] += 1
    if queued_at is not None:
        deltas[hour, type_, queue, "wait", bucket_of((started_at - queued_at).total_seconds())] += 1


def _fence_event(e: Ending) -> dict[str, Any]:
    return {
        "at": now(), "actor_kind": "system", "actor_id": e.worker, "verb": "fence", "entity": "task",
        "entity_id": str(e.task_id), "after": {"epoch": e.epoch, "refused": e.outcome.value},
        "reason": "a late ending of an attempt that no longer owned its task",
    }  # fmt: skip


def already_ended(session: Session, endings: Sequence[Ending]) -> set[tuple[int, int]]:
    """Which of these endings have landed: asked after a commit whose answer was lost.

    The same instant tells one's own ending from that of a rescuer, who was faster.
    """
    ids = [e.task_id for e in endings]
    a = tables.attempts.c
    rows = session.execute(select(a.task_id, a.epoch, a.ended_at).where(a.task_id.in_(ids)))
    ended = {(row.task_id, row.epoch): row.ended_at for row in rows}
    return {key for e in endings if ended.get(key := (e.task_id, e.epoch)) == e.ended_at}
