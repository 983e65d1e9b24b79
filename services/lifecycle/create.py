"""New tasks: accepted when this returns inside a committed transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, bindparam, func, insert, literal_column, select
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from models import Queue, Status, after_commit, now, tables
from models.base import Json
from models.db import is_postgresql
from models.upsert import insert_missing
from services import bell
from services.lifecycle.batch import given, packed, per_database
from services.lifecycle.counts import Deltas, counted, counting, gauge, record

_known_queues: set[str] = set()


def create(session: Session, common: dict[str, Any], bodies: Sequence[dict[str, Any]]) -> list[int]:
    """Insert one task a body, all with the same columns `common`; returns their ids in order.

    A body is `{"payload": …, "context": …}`. The caller has validated everything; `common["status"]` must be absent:
    a task is `queued` at once if its time has come and nothing holds it, else `pending`.
    """
    return insert_tasks(session, columns_of(common), bodies)


def columns_of(common: dict[str, Any]) -> dict[str, Any]:
    """What the new rows will hold, but for their ids; what is left out has its default."""
    at = now()
    status = _first_status(common, at)
    columns = {**common, "status": status, "created_at": at, "updated_at": at}
    return {**columns, "queued_at": at} if status is Status.queued else columns


def insert_tasks(session: Session, columns: dict[str, Any], bodies: Sequence[dict[str, Any]]) -> list[int]:
    """Insert one task a body, with these columns; returns their ids in order."""
    register_queue(session, columns["queue"])
    deltas = Deltas()
    gauge(deltas, columns["type"], columns["queue"], None, columns["status"], len(bodies))
    ids = (_at_once if is_postgresql() else _in_steps)(session, columns, bodies, deltas)
    if columns["status"] is Status.queued:
        bell.ring_after_commit(columns["queue"])
    return ids


def _at_once(session: Session, columns: dict[str, Any], bodies: Sequence[dict[str, Any]], deltas: Deltas) -> list[int]:
    rows = [{"n": n, **_present(body)} for n, body in enumerate(bodies)]
    values = {**columns, "given": packed(rows), "deltas": packed(counted(deltas))}
    return list(session.execute(_everything(tuple(sorted(columns))), values).scalars())


@per_database
def _everything(names: tuple[str, ...]) -> Any:
    """Tasks, bodies and counts in one statement, and one round trip: PostgreSQL inserts in WITH, too."""
    table = given({"n": Integer(), "payload": JSON(), "context": JSON()})
    rows = select(func.nextval("tasks_id_seq").label("id"), *table.c).cte("rows")  # an id each, whatever the order
    fixed = _fixed(names)
    tasks = insert(tables.tasks).from_select(["id", *fixed], select(rows.c.id, *fixed.values()), include_defaults=False)
    picked = select(rows.c.id, *(c.cast(postgresql.JSONB) for c in (rows.c.payload, rows.c.context)))
    bodies = insert(tables.task_bodies).from_select(["task_id", "payload", "context"], picked, include_defaults=False)
    inserts = [tasks.cte("made"), bodies.cte("bodies"), counting("deltas").cte("counted")]
    return select(rows.c.id).order_by(rows.c.n).add_cte(*inserts)


def _in_steps(session: Session, columns: dict[str, Any], bodies: Sequence[dict[str, Any]], deltas: Deltas) -> list[int]:
    made = session.execute(_task_insert(tuple(sorted(columns))), {**columns, "how_many": len(bodies)})
    ids = sorted(made.scalars())
    rows = ({"id": i, **_present(body)} for i, body in zip(ids, bodies, strict=True))
    session.execute(_body_insert(), {"given": packed(rows)})
    record(session, deltas)
    return ids


def _present(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _first_status(common: dict[str, Any], at: datetime) -> Status:
    waits = common.get("waits_on", 0) > 0 or common.get("held_reason") or common["run_at"] > at
    return Status.pending if waits else Status.queued


@per_database
def _task_insert(names: tuple[str, ...]) -> Any:
    """`how_many` tasks with the same columns; the ids are the database's."""
    fixed = _fixed(names)
    first = select(literal_column("1").label("n")).cte("counter", recursive=True)
    counter = first.union_all(select(first.c.n + 1).where(first.c.n < bindparam("how_many", type_=BigInteger)))
    rows = select(*fixed.values()).select_from(counter)
    return insert(tables.tasks).from_select(list(fixed), rows, include_defaults=False).returning(tables.tasks.c.id)


def _fixed(names: tuple[str, ...]) -> dict[str, Any]:
    """The columns that all the new tasks share: parameters of these names, and the defaults of the others."""
    table = tables.tasks.c
    defaults = {c.name: getattr(c.default, "arg", None) for c in table if c.default is not None and c.default.is_scalar}
    fixed = {n: bindparam(n, type_=table[n].type) for n in names}
    fixed |= {n: bindparam(n, value, type_=table[n].type) for n, value in defaults.items() if n not in fixed}
    return fixed | ({"tags": bindparam("tags", [], type_=Json)} if "tags" not in fixed else {})


@per_database
def _body_insert() -> Any:
    table = given({"id": BigInteger(), "payload": JSON(), "context": JSON()})
    picked = select(table.c.id, table.c.payload, table.c.context)  # SQLite stores the JSON text as it is
    return insert(tables.task_bodies).from_select(["task_id", "payload", "context"], picked, include_defaults=False)


def register_queue(session: Session, name: str) -> None:
    """Make sure the queue has its row, which a pause or a limit needs; once a process and name."""
    if name in _known_queues:
        return
    insert_missing(session, Queue, [{"name": name, "created_at": now()}])
    after_commit(lambda: _known_queues.add(name))


def forget_queues() -> None:
    """Forget which queues have rows: for tests that empty the tables."""
    _known_queues.clear()
