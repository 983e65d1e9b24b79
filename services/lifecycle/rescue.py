"""The tasks of workers that died: run again, or given up after too many."""

import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, case, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from models import Outcome, Status, now, tables, transaction
from models.base import keep_step, steady_s
from models.db import is_postgresql
from models.task import RUNNING
from models.unwritable import why_unwritable
from services import bell
from services.lifecycle.batch import WHEN, given, packed, per_database, still
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.ending import happened
from services.lifecycle.keys import lock_gates, unpark
from services.lifecycle.look import looking_for
from services.lifecycle.needs import settle
from settings import settings

BATCH = 100
SILENCE_S = 2.0

_last_look: float | None = None
_last_clock_s: float | None = None
_patient_until = 0.0


def looked() -> None:
    """Note that the ledger could be read now."""
    global _last_look
    at = time.monotonic()
    silent = _last_look is not None and at - _last_look > max(SILENCE_S, 2 * settings().beat_s)
    if _clock_was_set() or silent:
        _be_patient()
    _last_look = at


@looking_for(f"SELECT 1 FROM tasks WHERE {RUNNING} AND lease_until < :now", heard=looked)
def rescue(limit: int = BATCH) -> int:
    """Take back tasks whose lease ran out. Returns how many.

    A rescuer that was silent itself for two seconds, could not write, or whose clock was set, waits one lease first:
    so it was for everybody, and the workers must have their chance to beat again.
    """
    at = time.monotonic()
    try:
        with transaction() as session:
            _begin(session)
            held_up = time.monotonic() - at > SILENCE_S  # by SQLite's only writer, and so everybody's beats
            if _clock_was_set() or held_up:
                _be_patient()
            if at < _patient_until:
                return 0
            return _take_back("lease_until < :now", {"now": now()}, None, "its lease ran out", limit)
    except DBAPIError as error:
        if why_unwritable(error) is not None:  # then nobody can beat either
            _be_patient()
        raise


def _begin(session: Session) -> None:
    """The workers may know already that the database's clock was set, and measure their leases by it."""
    if is_postgresql():
        keep_step(session)
    else:
        session.execute(text("SELECT 1"))  # whose lock may take a while


def _clock_was_set() -> bool:
    """Since the last time that this was asked, here or in the database: all leases are measured by it."""
    global _last_clock_s
    clock_s, before = steady_s(), _last_clock_s
    _last_clock_s = clock_s
    return before is not None and abs(clock_s - before) > SILENCE_S


def begin() -> None:
    """Look from now on. Who has just begun cannot know what was before, and waits a lease for the beats of others."""
    global _last_look
    _last_look = time.monotonic()
    _be_patient()


def _be_patient() -> None:
    global _patient_until
    _patient_until = time.monotonic() + settings().lease_s


def bury(worker: str, started: Collection[tuple[int, int]] | None, why: str) -> int:
    """Take back all tasks of a worker that is known to be dead. Returns how many.

    `started`: (id, epoch) of the attempts whose bodies had started; None where nobody knows, and then all count.
    """
    total = 0
    while done := _take_back("worker = :worker", {"worker": worker}, started, why, BATCH):
        total += done
    return total


def _take_back(
    which: str, values: dict[str, Any], started: Collection[tuple[int, int]] | None, why: str, limit: int
) -> int:
    with transaction() as session:
        with_key = f"{RUNNING} AND {which} AND concurrency_key IS NOT NULL"
        keys = session.execute(_typed(f"SELECT DISTINCT concurrency_key FROM tasks WHERE {with_key}"), values)
        gates = lock_gates(session, set(keys.scalars()))
        rows = _lock(session, which, values, limit)
        if rows:
            _apply(session, rows, started, why)
            unpark(session, gates)
        return len(rows)


def _lock(session: Session, which: str, values: dict[str, Any], limit: int) -> Sequence[Any]:
    lock = "FOR UPDATE SKIP LOCKED" if is_postgresql() else ""
    ids = session.execute(
        _typed(f"SELECT id FROM tasks WHERE {RUNNING} AND {which} LIMIT :limit {lock}"),
        {**values, "limit": limit},
    ).scalars().all()  # fmt: skip
    t = tables.tasks.c
    return session.execute(select(tables.tasks).where(t.id.in_(ids)).order_by(t.id)).all() if ids else []


def _typed(sql: str) -> Any:
    query = text(sql)
    return query.bindparams(bindparam("now", type_=WHEN)) if ":now" in sql else query


def _apply(session: Session, rows: Sequence[Any], started: Collection[tuple[int, int]] | None, why: str) -> None:
    at = now()
    deltas, moved, attempts, events, ended = Deltas(), [], [], [], {}
    for row in rows:
        had_started = row.started_at is not None or started is None or (row.id, row.epoch) in started
        losses = row.losses + had_started
        status = _verdict(row, losses)
        gauge(deltas, row.type, row.queue, Status.running, status)
        moved.append({"id": row.id, "status": status.value, "losses": losses, "at": at, "error": _error(status)})
        outcome = Outcome.cancelled if status is Status.cancelled else Outcome.lost
        happened(deltas, row.type, row.queue, outcome, row.queued_at, row.started_at, at)
        if had_started:
            attempts.append(_lost_attempt(row, outcome, at, why))
        events.append(_event(row, status, at, why))
        if status is Status.queued:
            bell.ring_after_commit(row.queue)
        else:
            ended[row.id] = status
    session.execute(_update(), {"given": packed(moved)})
    _explain(session, [i for i, status in ended.items() if status is Status.failed])
    if attempts:
        session.execute(insert(tables.attempts), attempts)
    session.execute(insert(tables.events), events)
    record(session, deltas)
    settle(session, ended)


def _verdict(row: Any, losses: int) -> Status:
    if row.cancel_requested_at is not None:
        return Status.cancelled
    return Status.failed if losses >= settings().max_losses else Status.queued


def _error(status: Status) -> str | None:
    return "WorkerLost" if status is Status.failed else None


def lost_words() -> str:
    """Why a task was given up."""
    return (
        f"given up: {settings().max_losses} workers died while they ran it. Look at its log and its memory use, "
        "then run it again."
    )


def _explain(session: Session, ids: list[int]) -> None:
    if ids:
        session.execute(
            update(tables.task_bodies).where(tables.task_bodies.c.task_id.in_(ids)).values(error_text=lost_words())
        )


@per_database
def _update() -> Any:
    v = given({"id": BigInteger(), "status": String(), "losses": Integer(), "at": WHEN, "error": String()}).c
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(t.id == v.id, still(t, "running"))
        .values(
            status=v.status,
            losses=v.losses,
            finished_at=case((v.status == "queued", None), else_=v.at),
            queued_at=case((v.status == "queued", v.at), else_=t.queued_at),
            error_class=func.coalesce(v.error, t.error_class),
            fingerprint=case((v.status == "failed", "worker-lost"), else_=t.fingerprint),
            worker=None,
            lease_until=None,
            updated_at=v.at,
        )
    )


def _lost_attempt(row: Any, outcome: Outcome, at: Any, why: str) -> dict[str, Any]:
    return {
        "task_id": row.id, "epoch": row.epoch, "worker": row.worker, "started_at": row.started_at, "ended_at": at,
        "outcome": outcome,
        "error_class": "WorkerLost", "error_text": f"worker {row.worker} was lost: {why}", "forced": False,
    }  # fmt: skip


def _event(row: Any, status: Status, at: Any, why: str) -> dict[str, Any]:
    return {
        "at": at, "actor_kind": "system", "actor_id": row.worker, "verb": "rescue", "entity": "task",
        "entity_id": str(row.id), "before": {"status": "running", "epoch": row.epoch},
        "after": {"status": status.value}, "reason": why,
    }  # fmt: skip


def forget() -> None:
    """Rescue as one that has just begun to look: for tests."""
    global _last_look, _last_clock_s, _patient_until
    _last_look, _last_clock_s, _patient_until = None, None, 0.0
