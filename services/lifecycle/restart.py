"""failed, cancelled → pending again: with a fresh budget, and on request with all that was struck by its ending."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Integer, Row, String, bindparam, case, literal, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import LIVE, Move, Status, now, tables
from models.task import LIVE_WITH_KEY
from services import bell
from services.errors import StaleTask
from services.lifecycle.acts import locked
from services.lifecycle.batch import WHEN, among, given, listed, packed, per_database
from services.lifecycle.counts import Deltas, gauge, record

# A question of its own for each edge: joined, PostgreSQL may read all that was ever cancelled at each step
STRUCK = """(
    SELECT t.deleted_at IS NULL AND (t.status = 'cancelled' AND t.cancel_reason LIKE 'needs #%'
        OR t.status = 'pending' AND t.held_reason LIKE 'needs #%')
    FROM tasks t WHERE t.id = n.child)"""
DOWNSTREAM = text(f"""
    WITH RECURSIVE struck (id) AS (
        SELECT n.child FROM task_needs n WHERE n.parent = :root AND {STRUCK}
        UNION
        SELECT n.child FROM struck JOIN task_needs n ON n.parent = struck.id WHERE {STRUCK}
    )
    SELECT id FROM struck
""").bindparams(bindparam("root", type_=BigInteger))

Moved = dict[int, tuple[str, str]]  # what each task was, and what it is


def rerun(session: Session, task_id: int, dependents: bool = False) -> Moved:
    """Back to the start; with `dependents` also what was cancelled or held because of it, and of nothing else.

    Returns what moved, the task itself first. Raises `StaleTask`, and nothing has changed, where it has not failed or
    been cancelled, is deleted, or a live task has the unique key of one of them.
    """
    task = locked(session, task_id)
    if not task.may(Move.rerun):
        completed = task.status is Status.completed
        why = "it completed: run it again as a new task" if completed else f"it is {task.status.value}"
        raise StaleTask(f"#{task_id} cannot be rerun: {why}")
    if task.deleted_at is not None:
        raise StaleTask(f"#{task_id} cannot be rerun: it is deleted; restore it first")
    rows: list[Any] = [task]
    if dependents:
        rows += _struck(session, task_id)
    parents = _parents(session, [row.id for row in rows])
    again = {task_id: rows[0]}
    for row in rows[1:]:  # older first: what it needs has been decided on
        if _follows(parents[row.id], again):
            again[row.id] = row
    return _start_over(session, list(again.values()), parents, {task_id})


def rerun_many(session: Session, rows: Sequence[Any]) -> tuple[Moved, dict[int, str]]:
    """The same for many in a few statements: what moved, and of the others why not (a live task has their unique key).

    `rows` are locked, have failed or been cancelled, are not deleted, and have (id, type, queue, status, unique_key);
    of two with one key the earlier in `rows` comes back.
    """
    refused = _taken(session, rows)
    free = [row for row in rows if row.id not in refused]
    ids = {row.id for row in free}
    moved: Moved = {}
    try:
        moved = _start_over(session, free, _parents(session, ids), ids) if free else {}
    except StaleTask:  # somebody took a key between the look and the act: each on its own
        for row in free:
            try:
                moved |= _start_over(session, [row], _parents(session, [row.id]), {row.id})
            except StaleTask as refusal:
                refused[row.id] = str(refusal)
    return moved, refused


def _taken(session: Session, rows: Sequence[Any]) -> dict[int, str]:
    """Of these tasks those whose unique key another has, live or before them in the list; with the sentence."""
    keyed = [row for row in rows if row.unique_key is not None]
    if not keyed:
        return {}
    wanted = packed({"kind": row.type, "key": row.unique_key} for row in keyed)
    holders = {(row.kind, row.key): row.id for row in session.execute(_holders(), {"given": wanted})}
    refused = {}
    for row in keyed:
        holder = holders.setdefault((row.type, row.unique_key), row.id)
        if holder != row.id:
            refused[row.id] = _has_key(row, holder)
    return refused


@per_database
def _holders() -> Any:
    v = given({"kind": String(), "key": String()}).c
    t = tables.tasks.c
    return select(v.kind, v.key, t.id).where(t.type == v.kind, t.unique_key == v.key, text(LIVE_WITH_KEY))


def _struck(session: Session, task_id: int) -> Sequence[Row]:
    """What was cancelled or held since this task ended, directly or not; locked, oldest first."""
    ids = session.execute(DOWNSTREAM, {"root": task_id}).scalars().all()
    t = tables.tasks.c
    query = select(t.id, t.type, t.queue, t.status, t.unique_key, t.run_at, t.held_reason).where(t.id.in_(ids))
    rows = session.execute(query.order_by(t.id).with_for_update()).all()
    return [row for row in rows if row.status is Status.cancelled or row.held_reason is not None]


def _parents(session: Session, ids: Collection[int]) -> Mapping[int, Sequence[Row]]:
    t, need = tables.tasks.c, tables.task_needs.c
    query = (
        select(need.child, need.parent, t.status)
        .join(tables.tasks, t.id == need.parent)
        .where(among(need.child))
        .order_by(need.parent)
        .with_for_update(read=True, of=tables.tasks)  # one that lives must not end between this and our commit
    )
    found = defaultdict(list)
    for row in session.execute(query, {"ids": listed(ids)}):
        found[row.child].append(row)
    return found


def _follows(parents: Sequence[Row], again: Mapping[int, Any]) -> bool:
    """Whether a struck task has its chance again: no other broken task keeps it back."""
    left = [p.status for p in parents if p.parent not in again]
    return len(left) < len(parents) and not {Status.failed, Status.cancelled} & set(left)


def _start_over(
    session: Session, tasks: Sequence[Any], parents: Mapping[int, Sequence[Row]], asked: Collection[int]
) -> Moved:
    """`asked` are those that a person named: they start at once, the others at their time."""
    at, ids = now(), {task.id for task in tasks}
    changes, edges, deltas, moved = [], [], Deltas(), {}
    for task in tasks:
        waits = {p.parent for p in parents.get(task.id, ()) if p.parent in ids or p.status in LIVE}
        run_at = at if task.id in asked else max(task.run_at, at)
        is_ = Status.pending if waits or run_at > at else Status.queued
        moved[task.id] = (task.status.value, is_.value)
        gauge(deltas, task.type, task.queue, task.status, is_)
        changes.append({"id": task.id, "status": is_.value, "waits_on": len(waits), "run_at": run_at, "at": at})
        edges += [
            {"child": task.id, "parent": p.parent, "at": None if p.parent in waits else at}
            for p in parents.get(task.id, ())
        ]
        if is_ is Status.queued:
            bell.ring_after_commit(task.queue)
    try:
        with session.begin_nested():
            session.execute(_change(), {"given": packed(changes)})
            if edges:
                session.execute(_set_edges(), {"given": packed(edges)})
            record(session, deltas)
    except IntegrityError as error:
        raise StaleTask(_whose_key(session, tasks)) from error
    return moved


def _whose_key(session: Session, tasks: Sequence[Any]) -> str:
    for task in tasks:
        t = tables.tasks.c
        live = select(t.id).where(t.type == task.type, t.unique_key == task.unique_key, text(LIVE_WITH_KEY))
        other = session.execute(live).scalar()
        if other is not None:
            return _has_key(task, other)
    return f"#{tasks[0].id} cannot be rerun with its dependents: two of them have the same unique key"


def _has_key(task: Any, other: int) -> str:
    return f"#{task.id} cannot be rerun: another live task, #{other}, has its unique key {task.unique_key!r}"


@per_database
def _change() -> Any:
    v = given({"id": BigInteger(), "status": String(), "waits_on": Integer(), "run_at": WHEN, "at": WHEN}).c
    t = tables.tasks.c
    fresh = dict.fromkeys(
        ("finished_at", "started_at", "error_class", "fingerprint", "cancel_requested_at", "cancel_requested_by",
         "cancel_reason", "cancel_seen_at", "held_reason", "progress_done", "progress_total", "progress_percent",
         "progress_note", "progress_step", "progress_at")
    )  # fmt: skip
    return (
        update(tables.tasks)
        .where(t.id == v.id)
        .values(
            status=v.status, waits_on=v.waits_on, tries=0, losses=0, parked=False, run_at=v.run_at, updated_at=v.at,
            queued_at=case((v.status == literal("queued"), v.at), else_=None),
            expires_at=case((t.expires_at > v.at, t.expires_at), else_=None), **fresh,
        )
    )  # fmt: skip


@per_database
def _set_edges() -> Any:
    """Open what is to be waited for once more; settle what is not."""
    v = given({"child": BigInteger(), "parent": BigInteger(), "at": WHEN}).c
    e = tables.task_needs.c
    return update(tables.task_needs).where(e.child == v.child, e.parent == v.parent).values(settled_at=v.at)
