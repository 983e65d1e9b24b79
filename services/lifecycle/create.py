"""New tasks: accepted when this returns inside a committed transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from models import Queue, Status, after_commit, now, tables
from models.base import Json
from models.db import is_postgresql
from models.upsert import insert_missing
from services import bell
from services.lifecycle.batch import given, packed, per_database
from services.lifecycle.counts import Deltas, gauge, record

_known_queues: set[str] = set()


def create(session: Session, common: dict[str, Any], bodies: Sequence[dict[str, Any]]) -> list[int]:
    """Insert one task a body, all with the same columns `common`; returns their ids in order.

    A body is `{"payload": …, "context": …}`. The caller has validated everything; `common["status"]` must be absent:
    a task is `queued` at once if its time has come and nothing holds it, else `pending`.
    """
    at = now()
    status = _first_status(common, at)
    columns = {**common, "status": status, "created_at": at, "updated_at": at}
    if status is Status.queued:
        columns["queued_at"] = at
    register_queue(session, common["queue"])
    ids = _insert_tasks(session, columns, len(bodies))
    session.execute(_body_insert(), {"given": packed(_body(i, body) for i, body in zip(ids, bodies, strict=True))})
    deltas = Deltas()
    gauge(deltas, common["type"], common["queue"], None, status, len(ids))
    record(session, deltas)
    if status is Status.queued:
        bell.ring_after_commit(common["queue"])
    return ids


def _body(task_id: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": task_id, **{name: value for name, value in body.items() if value is not None}}


def _first_status(common: dict[str, Any], at: datetime) -> Status:
    waits = common.get("waits_on", 0) > 0 or common.get("held_reason") or common["run_at"] > at
    return Status.pending if waits else Status.queued


def _insert_tasks(session: Session, columns: dict[str, Any], how_many: int) -> list[int]:
    statement = _task_insert(tuple(sorted(columns)))
    return sorted(session.execute(statement, {**columns, "how_many": how_many}).scalars())


@per_database
def _task_insert(names: tuple[str, ...]) -> Any:
    """`how_many` tasks with the same columns; the ids are the database's."""
    table = tables.tasks.c
    defaults = {c.name: getattr(c.default, "arg", None) for c in table if c.default is not None and c.default.is_scalar}
    fixed = {n: bindparam(n, type_=table[n].type) for n in names}
    fixed |= {n: bindparam(n, value, type_=table[n].type) for n, value in defaults.items() if n not in fixed}
    fixed |= {"tags": bindparam("tags", [], type_=Json)} if "tags" not in fixed else {}
    rows = select(*fixed.values()).select_from(_counter())
    return insert(tables.tasks).from_select(list(fixed), rows, include_defaults=False).returning(tables.tasks.c.id)


def _counter() -> Any:
    how_many = bindparam("how_many", type_=BigInteger)
    if is_postgresql():
        return func.generate_series(1, how_many).table_valued("n")
    first = select(literal_column("1").label("n")).cte("counter", recursive=True)
    return first.union_all(select(first.c.n + 1).where(first.c.n < how_many))


@per_database
def _body_insert() -> Any:
    table = given({"id": BigInteger(), "payload": JSON(), "context": JSON()})
    # On PostgreSQL json → jsonb is an assignment cast; SQLite stores the JSON text as it is
    picked = select(table.c.id, *(_json(c) for c in (table.c.payload, table.c.context)))
    return insert(tables.task_bodies).from_select(["task_id", "payload", "context"], picked, include_defaults=False)


def _json(column: Any) -> Any:
    return column.cast(postgresql.JSONB) if is_postgresql() else column


def register_queue(session: Session, name: str) -> None:
    """Make sure the queue has its row, which a pause or a limit needs; once a process and name."""
    if name in _known_queues:
        return
    insert_missing(session, Queue, [{"name": name, "created_at": now()}])
    after_commit(lambda: _known_queues.add(name))


def forget_queues() -> None:
    """Forget which queues have rows: for tests that empty the tables."""
    _known_queues.clear()
