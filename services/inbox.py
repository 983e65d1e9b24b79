"""What ended of what a person asked for: theirs to read, to dismiss, and to open where they asked for it.

Nothing is written when a task ends: the entries are the ended tasks themselves. A row of `inbox` says what its person
made of one; `operators.inbox_read_until` says up to which ending all is read. Personal, so it is no matter of audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, text, tuple_, update

from models import InboxItem, Operator, Role, Status, Task, TaskBody, now, reading, tables, transaction
from models.db import once_more
from models.task import ASKED_FOR, RUNNING
from models.upsert import upsert
from services import audit, checks
from services.errors import Forbidden

STOP_AT = 100  # unread entries that are counted
MOST = 200
MOST_RUNNING = 100
MOST_MARKED = 1_000
LATE = timedelta(minutes=5)  # an ending may come to the ledger so long after its time

_task = tables.tasks.c
_item = tables.inbox.c

Cursor = tuple[datetime, int]  # of the last entry: when its task ended, and the task's number


@dataclass(frozen=True, slots=True)
class Entry:
    """An ended task, as its person has left it."""

    task: Task
    read: bool
    dismissed: bool
    return_path: str | None  # where it was asked for: a local path
    form: dict[str, Any] | None  # what the asking form held


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the last ended first; `next_before` is the `before` of the next page, None on the last."""

    entries: list[Entry]
    next_before: Cursor | None


def running() -> list[Task]:
    """What runs now of what the acting operator owns, the oldest first; at most 100."""
    # Owner + 0: by the short index of what runs, not by the long one of all that is theirs
    mine = select(Task).where(text(f"tasks.{RUNNING}"), _task.owner + 0 == _me(), _task.deleted_at.is_(None))
    with reading() as session:
        return sorted(session.execute(mine.limit(MOST_RUNNING)).scalars(), key=lambda task: task.id)


def unread(limit: int = STOP_AT) -> list[Task]:
    """The acting operator's unread endings, the last first; at most `limit`."""
    checks.whole(limit, "limit", 1, MOST)
    me = _me()
    with reading() as session:
        query = _ended(me, select(Task)).where(*_is_unread(_read_until(session, me)))
        return list(session.execute(_last_first(query).limit(limit)).scalars())


def page(*, dismissed: bool = False, before: Cursor | None = None, size: int = 30) -> Page:
    """Entries of the acting operator: those that are not dismissed, or only those that are."""
    checks.whole(size, "size", 1, MOST)
    me = _me()
    query = _ended(me, select(Task, _item.read_at, _item.dismissed_at, TaskBody.context)).outerjoin(  # type: ignore[call-overload]
        tables.task_bodies, tables.task_bodies.c.task_id == _task.id
    )
    put_away = func.coalesce(_item.dismissed_at, _EVER) >= _task.finished_at
    query = query.where(put_away if dismissed else ~put_away)
    if before is not None:
        at, number = checks.instant(before[0], "before/0"), checks.whole(before[1], "before/1", 1, 2**53)
        last = tuple_(literal(at, _task.finished_at.type), literal(number))
        query = query.where(tuple_(_task.finished_at, _task.id) < last)
    with reading() as session:
        until = _read_until(session, me)
        rows = session.execute(_last_first(query).limit(size + 1)).all()
    entries = [_entry(until, *row) for row in rows[:size]]
    end = entries[-1].task if len(rows) > size else None
    return Page(entries, None if end is None or end.finished_at is None else (end.finished_at, end.id))


def mark_read(task_ids: Sequence[int]) -> None:
    """Note that these were read."""
    _mark(task_ids, read_at=now())


def mark_all_read() -> None:
    """Note that all were read that have ended by now.

    An ending that is still on its way to the ledger is not among them, though its time be earlier.
    """
    me = _me()
    with transaction() as session:
        until = _read_until(session, me)
        recent = _last_first(_ended(me, select(_task.id, _task.finished_at)).where(*_is_unread(until)))
        rows = session.execute(recent.where(_task.finished_at > now() - LATE).limit(MOST_MARKED)).all()
        _write(rows, read_at=now())
        reached = now() - LATE if len(rows) < MOST_MARKED else rows[-1].finished_at
        session.execute(
            update(Operator)
            .where(tables.operators.c.id == me, func.coalesce(tables.operators.c.inbox_read_until, _EVER) < reached)
            .values(inbox_read_until=reached)
        )


def dismiss(task_ids: Sequence[int]) -> None:
    """Put these away; nobody else sees a difference."""
    _mark(task_ids, read_at=now(), dismissed_at=now())


def restore(task_ids: Sequence[int]) -> None:
    """Take these back in, as read."""
    _mark(task_ids, read_at=now(), dismissed_at=None)


def return_path(context: object) -> str | None:
    """Where a task was asked for, by its context: a path of this site and nothing else, however it is written."""
    path = context.get("return_path") if isinstance(context, dict) else None
    if not isinstance(path, str) or not path.startswith("/") or len(path) > 1_000:
        return None
    other_site = path.startswith(("//", "/\\")) or "\\" in path or not path.isprintable() or "://" in path
    return None if other_site or any(c.isspace() for c in path) else path


_EVER = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _me() -> int:
    """The acting operator, who must be somebody: an inbox is a person's."""
    me = audit.current().operator_id
    if me is None:
        raise Forbidden("an inbox belongs to a signed-in operator; use `audit.acting_as(operator)`")
    audit.require(Role.viewer)
    return me


def _read_until(session: Any, me: int) -> datetime:
    found = session.execute(select(tables.operators.c.inbox_read_until).where(tables.operators.c.id == me)).scalar()
    return found or _EVER


def _ended(me: int, query: Select[Any]) -> Select[Any]:
    mine = (_item.operator_id == me) & (_item.task_id == _task.id)
    return (
        query.select_from(tables.tasks)
        .outerjoin(tables.inbox, mine)
        .where(_task.owner == me, text(ASKED_FOR), _task.deleted_at.is_(None))
    )


def _is_unread(until: datetime) -> list[ColumnElement[bool]]:
    return [_task.finished_at > until, func.coalesce(_item.read_at, _EVER) < _task.finished_at, ~_cancelled_by_me()]


def _cancelled_by_me() -> ColumnElement[bool]:
    """What its person cancelled is no news to them."""
    by_me = func.coalesce(_task.cancel_requested_by, "") == str(audit.current())
    return (_task.status == Status.cancelled) & by_me


def _last_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(_task.finished_at.desc(), _task.id.desc())


def _entry(until: datetime, task: Task, read_at: Any, dismissed_at: Any, context: Any) -> Entry:
    own_act = task.status is Status.cancelled and task.cancel_requested_by == str(audit.current())
    end = task.finished_at or now()
    read = own_act or end <= max(until, read_at or _EVER)
    form = context.get("form") if isinstance(context, dict) else None
    return Entry(
        task, read, end <= (dismissed_at or _EVER), return_path(context), form if isinstance(form, dict) else None
    )


@once_more
def _mark(task_ids: Sequence[int], **values: datetime | None) -> None:
    me = _me()
    given = checks.some(task_ids, "task_ids", MOST_MARKED)
    ids = {checks.whole(i, f"task_ids/{n}", 1, 2**53) for n, i in enumerate(given)}
    with transaction() as session:
        own = session.execute(_ended(me, select(_task.id, _task.finished_at)).where(_task.id.in_(ids))).all()
        _write(own, **values)


def _write(ended: Sequence[Any], **values: datetime | None) -> None:
    """Rows of the acting operator for these tasks, made or brought up to date.

    A mark holds for one ending, as a task may run again and end again: it is never older than what it is about.
    """
    me = _me()
    rows = [
        {
            "operator_id": me, "task_id": id_, "created_at": now(),
            **{name: at and max(at, finished_at) for name, at in values.items()},
        }
        for id_, finished_at in sorted(ended)
    ]  # fmt: skip
    with transaction() as session:
        for start in range(0, len(rows), 200):
            upsert(session, InboxItem, rows[start : start + 200])
