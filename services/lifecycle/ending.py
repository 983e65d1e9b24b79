"""running → what became of the attempt: a batch of endings in one transaction, fenced by epoch.

Of all attempts of a task exactly one finds its row still running under its epoch; with it go, all or none, the result,
the attempt's row, the tasks that wait for it, and the counts.
"""

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
from sqlmodel import Session

from models import FINISHED, Attempt, Move, Outcome, Status, TaskBody, now, tables
from models.db import is_postgresql
from services import bell
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.lifecycle.counts import Deltas, Measure, bucket_of, gauge, hour_of, record
from services.lifecycle.keys import lock_gates, unpark
from services.lifecycle.needs import settle


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
    tried: bool = False  # it spends a try: an attempt that ended in an error
    concurrency_key: str | None = None
    code_version: str | None = None
    extras: dict[str, Any] = field(default_factory=dict)  # engine, model, tokens, cost, cpu_s, peak_rss


def end(session: Session, endings: Sequence[Ending]) -> list[Ending]:
    """Apply the endings of attempts that still own their task. Returns those that do not: they changed nothing."""
    gates = lock_gates(session, {e.concurrency_key for e in endings if e.concurrency_key})
    attempts = {(e.task_id, e.epoch): e for e in reversed(endings)}  # told twice, the first counts
    moved = session.execute(_move_tasks(), {"given": packed(map(_task_row, attempts.values()))})
    landed = {(row.id, row.epoch): row for row in moved}
    done = [e for key, e in attempts.items() if key in landed]
    status = {e.task_id: landed[e.task_id, e.epoch].status for e in done}
    if done:
        _write_bodies(session, done)
        _write_attempts(session, done, status)
        _count(session, done, status)
        unpark(session, gates)
        settle(session, {task: is_ for task, is_ in status.items() if is_ in FINISHED})
        for queue in {e.queue for e in done if status[e.task_id] is Status.queued}:
            bell.ring_after_commit(queue)
    fenced = [e for key, e in attempts.items() if key not in landed]
    if fenced:
        session.execute(insert(tables.events), [_fence_event(e) for e in fenced])
    return fenced


def _task_row(e: Ending) -> dict[str, Any]:
    status = e.move.target
    row = {
        "id": e.task_id,
        "epoch": e.epoch,
        "status": status.value,
        "ended_at": e.ended_at,
        "started_at": e.started_at,
        "run_at": e.run_at,
        "tried": int(e.tried),
        "lost": int(e.lost),
        "done": int(e.move is Move.complete),
        "error_class": e.error_class,
        "fingerprint": e.fingerprint,
        "cancel_seen_at": e.cancel_seen_at,
        "cancel_reason": e.cancel_reason,
    }
    return {name: value for name, value in row.items() if value is not None}


@per_database
def _move_tasks() -> Any:
    v = given(
        {
            "id": BigInteger(), "epoch": Integer(), "status": String(), "ended_at": WHEN, "started_at": WHEN,
            "run_at": WHEN, "tried": Integer(), "lost": Integer(), "done": Integer(), "error_class": String(),
            "fingerprint": String(), "cancel_seen_at": WHEN, "cancel_reason": String(),
        }
    ).c  # fmt: skip
    t = tables.tasks.c
    # A retry or a hand-back of a task whose cancellation was asked for is its cancellation.
    stops = t.cancel_requested_at.is_not(None) & v.status.in_(["pending", "queued"])
    status = case((stops, literal("cancelled")), else_=v.status)
    over = stops | v.status.in_(["completed", "failed", "cancelled"])
    return (
        update(tables.tasks)
        .where(t.id == v.id, t.epoch == v.epoch, t.status == Status.running)
        .values(
            status=status,
            finished_at=case((over, v.ended_at), else_=None),
            queued_at=case((status == "queued", v.ended_at), else_=t.queued_at),
            started_at=func.coalesce(v.started_at, t.started_at),
            run_at=func.coalesce(v.run_at, t.run_at),
            tries=t.tries + v.tried,
            losses=t.losses + v.lost,
            progress_percent=case((v.done == 1, 100.0), else_=t.progress_percent),
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
        if e.result is not None or e.error_text is not None or e.move is Move.complete
    ]
    if rows:
        session.execute(_fill_bodies(), {"given": packed(rows)})


@per_database
def _fill_bodies() -> Any:
    v = given({"id": BigInteger(), "result": String(), "bytes": Integer(), "error_text": String()}).c
    result = v.result.cast(postgresql.JSONB) if is_postgresql() else v.result
    return (
        update(tables.task_bodies)
        .where(TaskBody.task_id == v.id)
        .where(v.result.is_not(None) | v.error_text.is_not(None) | TaskBody.error_text.is_not(None))
        .values(result=result, result_bytes=v.bytes, error_text=v.error_text)
    )


ATTEMPT_COLUMNS = {
    "task_id": BigInteger(), "epoch": Integer(), "worker": String(), "code_version": String(), "started_at": WHEN,
    "ended_at": WHEN, "outcome": String(), "error_class": String(), "error_text": String(), "traceback": String(),
    "cancel_seen_at": WHEN, "forced": Boolean(), "engine": String(), "engine_kind": String(), "model": String(),
    "tokens_in": Integer(), "tokens_out": Integer(), "tokens_cached": Integer(), "cost_micros": Integer(),
    "cpu_s": Float(), "peak_rss": BigInteger(),
}  # fmt: skip


def _write_attempts(session: Session, done: Sequence[Ending], status: Mapping[int, Status]) -> None:
    # What was never started leaves no attempt: nothing happened.
    rows = [_attempt_row(e, status[e.task_id]) for e in done if e.started_at or e.move is not Move.hand_back]
    if rows:
        session.execute(_insert_attempts(), {"given": packed(rows)})


def _attempt_row(e: Ending, status: Status) -> dict[str, Any]:
    row = {
        "task_id": e.task_id, "epoch": e.epoch, "worker": e.worker, "code_version": e.code_version,
        "started_at": e.started_at, "ended_at": e.ended_at, "outcome": _outcome(e, status).value, "forced": e.forced,
    }  # fmt: skip
    if e.error_class is not None:
        row |= {"error_class": e.error_class, "error_text": e.error_text, "traceback": e.traceback}
    if e.cancel_seen_at is not None:
        row["cancel_seen_at"] = e.cancel_seen_at
    return row | e.extras


def _outcome(e: Ending, status: Status) -> Outcome:
    return Outcome.cancelled if status is Status.cancelled else e.outcome


@per_database
def _insert_attempts() -> Any:
    v = given(ATTEMPT_COLUMNS)
    picked = select(*v.c)
    return insert(tables.attempts).from_select(list(ATTEMPT_COLUMNS), picked, include_defaults=False)


def _count(session: Session, done: Sequence[Ending], status: Mapping[int, Status]) -> None:
    deltas = Deltas()
    for e in done:
        is_ = status[e.task_id]
        gauge(deltas, e.type, e.queue, Status.running, is_)
        happened(deltas, e.type, e.queue, _outcome(e, is_), e.queued_at, e.started_at, e.ended_at)
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
    deltas[Measure(hour, type_, queue, outcome.value)] += 1
    deltas[Measure(hour, type_, queue, "run", bucket_of((ended_at - started_at).total_seconds()))] += 1
    if queued_at is not None:
        deltas[Measure(hour, type_, queue, "wait", bucket_of((started_at - queued_at).total_seconds()))] += 1


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
    rows = session.execute(
        select(Attempt.task_id, Attempt.epoch, Attempt.ended_at).where(Attempt.task_id.in_(ids))  # type: ignore[attr-defined]
    )
    ended = {(row.task_id, row.epoch): row.ended_at for row in rows}
    return {key for e in endings if ended.get(key := (e.task_id, e.epoch)) == e.ended_at}
