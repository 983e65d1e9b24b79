"""Working out again what a task waits for, where the doctor found it wrong. Changes no status: what follows is the
loops' to do."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from models import FINISHED, Status, Unsettled, now, tables
from models.upsert import insert_missing

_t, _need = tables.tasks.c, tables.task_needs.c

Change = tuple[int, dict[str, Any], dict[str, Any]]


def recount_needs(session: Session, ids: Collection[int]) -> list[Change]:
    """Set `waits_on` to the number of open needs; returns (id, before, after) of what changed.

    What stands in line or runs is left alone: it is too late for it to wait.
    """
    too_late = (Status.queued, Status.running)
    mine = select(_t.id, _t.waits_on).where(_t.id.in_(ids), _t.status.not_in(too_late)).order_by(_t.id)
    rows = session.execute(mine.with_for_update()).all()
    open_needs = (
        select(_need.child, func.count().label("n"))
        .where(_need.child.in_([row.id for row in rows]), _need.settled_at.is_(None))
        .group_by(_need.child)
    )
    counted = {row.child: row.n for row in session.execute(open_needs)}
    changes = []
    for row in rows:
        n = counted.get(row.id, 0)
        if n != row.waits_on:
            session.execute(update(tables.tasks).where(_t.id == row.id).values(waits_on=n, updated_at=now()))
            changes.append((row.id, {"waits_on": row.waits_on}, {"waits_on": n}))
    return changes


def note_ended(session: Session, parents: Collection[int]) -> set[int]:
    """Note that these ended tasks have children to be told; returns those that have ended."""
    ended = select(_t.id).where(_t.id.in_(parents), _t.status.in_(FINISHED)).order_by(_t.id)
    ids = set(session.execute(ended.with_for_update(read=True)).scalars())
    if ids:
        insert_missing(session, Unsettled, [{"parent": parent, "since": now()} for parent in sorted(ids)])
    return ids
