"""The statements that endings are written with; each takes any number of them as its parameter `given`."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, Select, String, case, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from models import tables
from models.db import is_postgresql
from services.lifecycle.batch import WHEN, among, given, per_database, still


@per_database
def running() -> Any:
    """Lock the tasks of these ids that run, in id order, as an enqueue locks those it needs."""
    t = tables.tasks.c
    found = select(t.id, t.epoch, t.worker, t.cancel_requested_at.is_not(None).label("stops"))
    return found.where(among(t.id), still(t, "running")).order_by(t.id).with_for_update()


@per_database
def complete() -> Any:
    """The move that almost all make: nothing about it depends on the row."""
    return completion(given({"id": BigInteger(), "epoch": Integer(), "ended_at": WHEN, "started_at": WHEN}).c)


def completion(v: Any) -> Any:
    """The same for these columns."""
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(t.id == v.id, t.epoch == v.epoch, still(t, "running"))
        .values(
            status=literal("completed"), finished_at=v.ended_at, updated_at=v.ended_at, progress_percent=100.0,
            started_at=func.coalesce(v.started_at, t.started_at), error_class=None, fingerprint=None,
            worker=None, lease_until=None,
        )
    )  # fmt: skip


@per_database
def move() -> Any:
    """All other moves."""
    v = given(
        {
            "id": BigInteger(), "epoch": Integer(), "status": String(), "ended_at": WHEN, "started_at": WHEN,
            "run_at": WHEN, "tried": Integer(), "lost": Integer(), "error_class": String(),
            "fingerprint": String(), "cancel_seen_at": WHEN, "cancel_reason": String(),
        }
    ).c  # fmt: skip
    t = tables.tasks.c
    over = v.status.in_(["failed", "cancelled"])
    return (
        update(tables.tasks)
        .where(t.id == v.id, t.epoch == v.epoch, still(t, "running"))
        .values(
            status=v.status,
            finished_at=case((over, v.ended_at), else_=None),
            queued_at=case((v.status == "queued", v.ended_at), else_=t.queued_at),
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
    )


@per_database
def fill_bodies(name: str = "given") -> Any:
    """Results and the words of errors."""
    v = given({"id": BigInteger(), "result": String(), "bytes": Integer(), "error_text": String()}, name).c
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


@per_database
def insert_plain_attempts() -> Any:
    """Attempts that completed and of which there is nothing else to say."""
    return _insert_into_attempts(PLAIN_COLUMNS)


@per_database
def insert_attempts() -> Any:
    """All other attempts."""
    return _insert_into_attempts(ALL_COLUMNS)


def _insert_into_attempts(columns: dict[str, TypeEngine]) -> Any:
    return attempts_from(select(*given({"id": BigInteger(), **columns}).c), columns)


def attempts_from(rows: Select, columns: dict[str, TypeEngine]) -> Any:
    """The insert of what this query gives: the task's id, and these columns."""
    return insert(tables.attempts).from_select(["task_id", *columns], rows, include_defaults=False)
