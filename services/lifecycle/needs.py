"""What the ending of a task means for those that wait for it.

`waits_on` counts a child's open parents and is lowered in the parents' own ending transaction, by as many as ended in it.
(Asking "is any parent unfinished?" instead strands children whose two parents finish together.) An edge is settled once.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Integer, String, case, delete, func, select, update
from sqlmodel import Session

from models import FINISHED, OnParentFailure, Status, Task, TaskNeed, Unsettled, now, tables, transaction
from models.upsert import insert_missing
from services import bell
from services.lifecycle.batch import WHEN, given, packed, per_database
from services.lifecycle.counts import Deltas, gauge, record

IN_PLACE = 500  # edges settled inside one ending; the rest follows by `settle_rest`


def settle(session: Session, ended: Mapping[int, Status], in_place: int = IN_PLACE) -> int:
    """Tell the children of tasks that ended, and the children of those cancelled by it. Returns how many edges."""
    settled = 0
    wave = dict(ended)
    while wave:
        edges = _open_edges(session, list(wave), in_place - settled + 1)
        if len(edges) > in_place - settled:
            insert_missing(session, Unsettled, [{"parent": parent, "since": now()} for parent in wave])
            edges = edges[: in_place - settled]
        wave = _tell(session, edges, wave) if edges else {}
        settled += len(edges)
    return settled


def settle_rest(limit: int = IN_PLACE) -> int:
    """Go on where an ending had too many children for its own transaction. Returns how many edges."""
    with transaction() as session:
        parents = session.execute(
            select(Unsettled.parent, Task.status)
            .join(Task, Task.id == Unsettled.parent)
            .order_by(Unsettled.since)
            .limit(20)
            .with_for_update(of=tables.unsettled, skip_locked=True)
        ).all()
        if not parents:
            return 0
        ids = [row.parent for row in parents]
        session.execute(delete(tables.unsettled).where(Unsettled.parent.in_(ids)))  # type: ignore[attr-defined]
        finished = {row.parent: row.status for row in parents if row.status in FINISHED}
        return settle(session, finished, limit)


def _open_edges(session: Session, parents: list[int], limit: int) -> list[Any]:
    edges = (
        select(TaskNeed.child, TaskNeed.parent)
        .where(TaskNeed.parent.in_(parents), TaskNeed.settled_at.is_(None))  # type: ignore[attr-defined,union-attr]
        .order_by(TaskNeed.child)
        .limit(limit)
    )
    return list(session.execute(edges).all())


def _tell(session: Session, edges: list[Any], ended: Mapping[int, Status]) -> dict[int, Status]:
    """Settle these edges; returns the children that are cancelled by it."""
    children = {row.id: row for row in session.execute(_lock(sorted({e.child for e in edges})))}
    at = now()
    closing = packed({"child": e.child, "parent": e.parent, "at": at} for e in edges)
    closed = session.execute(_close(), {"given": closing}).all()
    fewer = Counter(e.child for e in closed)
    failing = {e.child: e.parent for e in closed if ended[e.parent] is not Status.completed}
    rows, deltas, cancelled = [], Deltas(), {}
    for child in (children[i] for i in sorted(fewer)):
        row: dict[str, Any] = {
            "id": child.id,
            "n": fewer[child.id],
            "at": at,
            **_answer(child, fewer, failing, ended),
        }
        status = Status(row["status"]) if "status" in row else None
        if status is not None:
            gauge(deltas, child.type, child.queue, child.status, status)
        if status is Status.cancelled:
            cancelled[child.id] = status
            row["finished_at"] = at
        elif status is Status.queued:
            bell.ring_after_commit(child.queue)
        rows.append(row)
    if rows:
        session.execute(_update(), {"given": packed(rows)})
    record(session, deltas)
    return cancelled


def _answer(child: Any, fewer: Counter[int], failing: Mapping[int, int], ended: Mapping[int, Status]) -> dict[str, Any]:
    """What a child does about it, as the columns that change beside `waits_on`."""
    if child.status is not Status.pending:
        return {}
    held = child.held_reason is not None
    parent = failing.get(child.id)
    if parent is not None and child.on_parent_failure is not OnParentFailure.run_anyway:
        why = f"needs #{parent}, which {'failed' if ended[parent] is Status.failed else 'was cancelled'}"
        if child.on_parent_failure is OnParentFailure.cancel:
            return {"status": "cancelled", "cancel_reason": why}
        return {} if held else {"held_reason": why}
    ready = child.waits_on == fewer[child.id] and not held and child.run_at <= now()
    return {"status": "queued"} if ready else {}


def _lock(ids: list[int]) -> Any:
    t = tables.tasks.c
    # In id order: two endings that share children then wait for one another instead of deadlocking
    return (
        select(t.id, t.type, t.queue, t.status, t.waits_on, t.on_parent_failure, t.held_reason, t.run_at)
        .where(t.id.in_(ids))
        .order_by(t.id)
        .with_for_update()
    )


@per_database
def _close() -> Any:
    v = given({"child": BigInteger(), "parent": BigInteger(), "at": WHEN}).c
    e = tables.task_needs.c
    return (
        update(tables.task_needs)
        .where(e.child == v.child, e.parent == v.parent, e.settled_at.is_(None))
        .values(settled_at=v.at)
        .returning(e.child, e.parent)
    )


@per_database
def _update() -> Any:
    v = given(
        {
            "id": BigInteger(), "n": Integer(), "at": WHEN, "status": String(), "finished_at": WHEN,
            "held_reason": String(), "cancel_reason": String(),
        }
    ).c  # fmt: skip
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(t.id == v.id)
        .values(
            waits_on=t.waits_on - v.n,
            status=func.coalesce(v.status, t.status),
            queued_at=case((v.status == "queued", v.at), else_=t.queued_at),
            finished_at=func.coalesce(v.finished_at, t.finished_at),
            held_reason=func.coalesce(v.held_reason, t.held_reason),
            cancel_reason=func.coalesce(v.cancel_reason, t.cancel_reason),
            updated_at=v.at,
        )
    )
