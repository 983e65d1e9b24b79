"""The repairs themselves. Each locks what it mends, looks once more, and writes what it did into the audit trail."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import delete, select

from models import Queue, Status, now, tables, transaction
from models.upsert import insert_missing
from services import audit, schedules
from services.lifecycle import acts, mend, needs, rescue
from services.lifecycle.counts import Deltas, record
from services.lifecycle.release import release
from services.lifecycle.release import unpark as put_back

VERB = "repair"
_t = tables.tasks.c

Rows = Sequence[Any]


def recount_needs(rows: Rows) -> int:
    """`waits_on` from the open needs of those that wait; what is ready then joins its line by itself."""
    with transaction() as session:
        changes = mend.recount_needs(session, [row.id for row in rows])
        audit.record_many(VERB, "task", changes, "it waited on another number of tasks than it had open needs")
    return len(changes)


def tell_children(rows: Rows) -> int:
    """Note parents whose children were not told, and tell these."""
    with transaction() as session:
        parents = mend.note_ended(session, {row.other for row in rows})
        changes = [(row.id, {"waits_for": row.other}, None) for row in rows if row.other in parents]
        audit.record_many(VERB, "task", changes, "it waited for a task that had ended")
    _until_done(needs.settle_rest)
    return len(changes)


def tell_rest(rows: Rows) -> int:
    """Go on telling those who wait."""
    _until_done(needs.settle_rest)
    with transaction() as session:
        left = set(session.execute(select(tables.unsettled.c.parent)).scalars())
        changes = [(row.id, None, None) for row in rows if row.id not in left]
        audit.record_many(VERB, "task", changes, "its ending had not reached all that wait for it")
    return len(changes)


def release_due(rows: Rows) -> int:
    """Let join their lines what is due."""
    ids = [row.id for row in rows]
    with transaction() as session:
        waiting = select(_t.id).where(_t.id.in_(ids), _t.status == Status.pending).order_by(_t.id).with_for_update()
        before = set(session.execute(waiting).scalars())
        _until_done(release)
        after = set(session.execute(select(_t.id).where(_t.id.in_(before), _t.status == Status.queued)).scalars())
        changes = [(i, {"status": "pending"}, {"status": "queued"}) for i in sorted(after)]
        audit.record_many(VERB, "task", changes, "it was due, and had not joined its line")
    return len(changes)


def rescue_abandoned(rows: Rows) -> int:
    """Take back what was abandoned; each rescue is an event of its own."""
    return min(len(rows), _until_done(rescue.rescue))


def cancel_asked(rows: Rows) -> int:
    """Cancel what was asked to be cancelled, in the name of who asked."""
    changes = []
    for row in rows:
        with transaction() as session:
            task = acts.locked(session, row.id)
            if task.finished or task.status is Status.running or task.cancel_requested_at is None:
                continue
            acts.cancel(session, row.id, task.cancel_requested_by or str(audit.current()), task.cancel_reason)
            change = (row.id, {"status": task.status.value}, {"status": "cancelled"})
            audit.record_many(VERB, "task", [change], "its cancellation was asked for, and it went on waiting")
            changes.append(change)
    return len(changes)


def unpark(rows: Rows) -> int:
    """Put back into their lines what keys have room for."""
    with transaction():
        done = put_back()
        if done:
            changes = [(str(row.other)[:100], None, None) for row in rows]
            audit.record_many(VERB, "key", changes, "it had room, and kept tasks out of their lines")
    return len(rows) if done else 0


def follow_runs(rows: Rows) -> int:
    """Note how runs ended."""
    done = _until_done(schedules.follow)
    if done:
        changes = [(row.id, None, {"slot": row.other}) for row in rows]
        audit.record_many(VERB, "schedule", changes, "how its run ended was not noted")
    return min(done, len(rows))


def correct_counts(rows: Rows) -> int:
    """Add what the counts lack: the difference was the same at every moment, however busy the ledger is."""
    deltas, changes = Deltas(), []
    for row in rows:
        deltas[0, row.id, row.other, row.status, 0] += int(row.n - row.kept)
        which = f"{row.id}/{row.other}/{row.status}"[:100]
        changes.append((which, {"count": int(row.kept)}, {"count": int(row.n)}))
    with transaction() as session:
        record(session, deltas)
        audit.record_many(VERB, "counts", changes, "as many as there are")
    return len(changes)


def register_queues(rows: Rows) -> int:
    """Give queues their rows."""
    with transaction() as session:
        insert_missing(session, Queue, [{"name": row.id, "created_at": now()} for row in rows])
        audit.record_many(VERB, "queue", [(row.id, None, None) for row in rows], "it had tasks, and no row")
    return len(rows)


def remover(task_id: Any) -> Callable[[Rows], int]:
    """A repair that deletes rows of tasks that are gone; `task_id` is the column of their table that names the task."""

    def remove(rows: Rows) -> int:
        ids = sorted({row.id for row in rows})
        gone = task_id.in_(ids) & ~select(_t.id).where(_t.id == task_id).exists()
        with transaction() as session:
            done = session.execute(delete(task_id.table).where(gone)).rowcount  # type: ignore[attr-defined]
            changes = [(i, {"table": task_id.table.name}, None) for i in ids]
            audit.record_many(VERB, "task", changes, "rows were left of a task that is gone")
        return done

    return remove


def _until_done(act: Callable[[], int]) -> int:
    total = 0
    while done := act():
        total += done
    return total
