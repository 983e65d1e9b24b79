"""What the ending of a task means for those that wait for it.

`waits_on` counts a child's open parents and is lowered in the parents' own ending transaction, by as many as ended in
it. (Asking "is any parent unfinished?" instead strands children whose two parents finish together.) An edge is settled
once, and only by who holds the child's lock.

A cascade is read first, then locked in id order, then decided and written as one: a task is always younger than what it
needs, so cascades that cross wait for one another instead of deadlocking.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import BigInteger, Integer, String, bindparam, case, delete, func, select, text, update
from sqlmodel import Session

from models import FINISHED, OnParentFailure, Status, Unsettled, now, tables, transaction
from models.upsert import insert_missing
from services import bell
from services.lifecycle.batch import WHEN, among, given, listed, packed, per_database
from services.lifecycle.counts import Deltas, gauge, record
from services.lifecycle.look import looking_for

IN_PLACE = 500  # edges settled inside one ending; the rest follows by `settle_rest`

Edge = tuple[int, int]  # child, parent

# Nearest first, so that what the limit cuts off hangs on something that was reached. Each task is looked up by itself:
# joined, PostgreSQL may read all that is pending at each step
CASCADE = text("""
    WITH RECURSIVE reached (child, parent) AS (
        SELECT child, parent FROM task_needs WHERE parent IN :parents AND settled_at IS NULL
        UNION
        SELECT n.child, n.parent FROM reached
        JOIN task_needs n ON n.parent = reached.child AND n.settled_at IS NULL
        WHERE (
            SELECT t.status = 'pending' AND t.on_parent_failure = 'cancel' FROM tasks t WHERE t.id = reached.child
        )
    )
    SELECT child, parent FROM reached LIMIT :limit
""").bindparams(bindparam("parents", expanding=True))


def settle(session: Session, ended: Mapping[int, Status], in_place: int = IN_PLACE) -> int:
    """Tell the children of tasks that ended, and the children of those cancelled by it. Returns how many edges.

    The caller holds the ended tasks' locks.
    """
    if not ended:
        return 0
    edges = _reach(session, ended, in_place)
    cancelled = tell(session, edges, ended) if edges else []
    if cancelled or len(edges) >= in_place:  # what was cancelled here may have got a child meanwhile
        _note_rest(session, [*ended, *cancelled])
    return len(edges)


@looking_for("SELECT 1 FROM unsettled")
def settle_rest(limit: int = IN_PLACE) -> int:
    """Go on where an ending had too many children for its own transaction. Returns how many edges."""
    u, t = tables.unsettled.c, tables.tasks.c
    with transaction() as session:
        noted = select(u.parent).order_by(u.since).limit(limit).with_for_update(skip_locked=True)
        ids = session.execute(noted).scalars().all()
        if not ids:
            return 0
        session.execute(delete(tables.unsettled).where(u.parent.in_(ids)))
        parents = select(t.id, t.status).where(t.id.in_(ids)).order_by(t.id)
        rows = session.execute(parents.with_for_update(read=True)).all()  # a rerun must not come between
        return settle(session, {row.id: row.status for row in rows if row.status in FINISHED}, limit)


def _reach(session: Session, ended: Mapping[int, Status], limit: int) -> list[Edge]:
    """Open edges from what ended, and from what will be cancelled by it."""
    fine = [i for i, status in ended.items() if status is Status.completed]
    broken = [i for i, status in ended.items() if status is not Status.completed]
    found: list[Edge] = []
    if fine:
        found += session.execute(_open_edges(), {"ids": listed(fine), "limit": limit})
    if broken and len(found) < limit:
        found += session.execute(CASCADE, {"parents": broken, "limit": limit - len(found)})
    return [(child, parent) for child, parent in found]


@per_database
def _open_edges() -> Any:
    e = tables.task_needs.c
    wanted = select(e.child, e.parent).where(among(e.parent), e.settled_at.is_(None))
    return wanted.order_by(e.child).limit(bindparam("limit", type_=Integer))


def _note_rest(session: Session, parents: Collection[int]) -> None:
    rest = (
        select(tables.task_needs.c.parent)
        .where(tables.task_needs.c.parent.in_(parents), tables.task_needs.c.settled_at.is_(None))
        .distinct()
    )
    left = session.execute(rest).scalars().all()
    if left:
        insert_missing(session, Unsettled, [{"parent": parent, "since": now()} for parent in left])


def tell(session: Session, reached: Collection[Edge], ended: Mapping[int, Status]) -> list[int]:
    """Settle these edges; returns the children that are cancelled by it. The caller holds the ended tasks' locks."""
    children = session.execute(_lock(sorted({child for child, _ in reached}))).all()
    edges = [{"child": child, "parent": parent} for child, parent in reached]
    parents = defaultdict(list)
    for row in session.execute(_still_open(), {"given": packed(edges)}):
        parents[row.child].append(row.parent)
    at, over = now(), dict(ended)
    closing, changes, deltas = [], [], Deltas()
    for child in children:
        done = sorted(parent for parent in parents[child.id] if parent in over)
        if not done:
            continue
        change = _answer(child, done, over)
        status = change.get("status")
        if status is not None:
            gauge(deltas, child.type, child.queue, child.status, Status(status))
        if status == Status.cancelled:
            over[child.id] = Status.cancelled
            change["finished_at"] = at
        elif status == Status.queued:
            bell.ring_after_commit(child.queue)
        closing += [{"child": child.id, "parent": parent, "at": at} for parent in done]
        changes.append({"id": child.id, "n": len(done), "at": at, **change})
    if changes:
        session.execute(_close(), {"given": packed(closing)})
        session.execute(_change(), {"given": packed(changes)})
        record(session, deltas)
    return [i for i in over if i not in ended]


def _answer(child: Any, done: Collection[int], over: Mapping[int, Status]) -> dict[str, Any]:
    """What a child does about the ending of these parents, as the columns that change beside `waits_on`."""
    if child.status is not Status.pending:
        return {}
    held = child.held_reason is not None
    broken = next((parent for parent in done if over[parent] is not Status.completed), None)
    if broken is not None and child.on_parent_failure is not OnParentFailure.run_anyway:
        why = because(broken, over[broken])
        if child.on_parent_failure is OnParentFailure.cancel:
            return {"status": "cancelled", "cancel_reason": why}
        return {} if held else {"held_reason": why}
    ready = child.waits_on == len(done) and not held and child.run_at <= now()
    return {"status": "queued"} if ready else {}


def because(parent: int, status: Status) -> str:
    """Why a task is cancelled or held for its parent's sake."""
    return f"needs #{parent}, which {'failed' if status is Status.failed else 'was cancelled'}"


def _lock(ids: list[int]) -> Any:
    t = tables.tasks.c
    return (
        select(t.id, t.type, t.queue, t.status, t.waits_on, t.on_parent_failure, t.held_reason, t.run_at)
        .where(t.id.in_(ids))
        .order_by(t.id)
        .with_for_update()
    )


@per_database
def _still_open() -> Any:
    """The edges among the given that nobody settled before the children were locked."""
    v = given({"child": BigInteger(), "parent": BigInteger()}).c
    e = tables.task_needs.c
    return select(e.child, e.parent).where(e.child == v.child, e.parent == v.parent, e.settled_at.is_(None))


@per_database
def _close() -> Any:
    v = given({"child": BigInteger(), "parent": BigInteger(), "at": WHEN}).c
    e = tables.task_needs.c
    return update(tables.task_needs).where(e.child == v.child, e.parent == v.parent).values(settled_at=v.at)


@per_database
def _change() -> Any:
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
