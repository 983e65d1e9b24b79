"""Looking for tasks: pages by id, newest first; counts that stop; ids for acting on many."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, func, select, text, union_all
from sqlmodel import Session

from models import Task, reading, tables
from models.db import is_postgresql
from services import checks, fulltext
from services.fulltext import forget
from services.indexing import index
from services.matching import branches
from services.task_filter import TaskFilter

__all__ = ["Count", "Page", "TaskFilter", "by_ids", "count", "forget", "ids", "index", "page"]

MOST_ROWS = 500
MOST_IDS = 10_000
STOP_AT = 2_000  # a page counts no farther: that takes a few milliseconds, however many there are
NEWEST = 20_000  # ids that are read through before the index of words, or of endings, is asked

_task = tables.tasks.c


@dataclass(frozen=True, slots=True)
class Page:
    """Tasks, newest first; `next_before` is the `before` of the next page, None on the last."""

    rows: list[Task]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many; with `more`, at least so many."""

    n: int
    more: bool

    def __str__(self) -> str:
        return f"{self.n:,}" + ("+" if self.more else "")


def page(filter: TaskFilter, before: int | None = None, size: int = 50) -> Page:  # noqa: A002
    """At most `size` tasks with ids below `before`, newest first."""
    checks.whole(size, "size", 1, MOST_ROWS)
    with reading():
        found = _find(filter, size + 1, before)
        rows = by_ids(found[:size])
    return Page(rows, found[size - 1] if len(found) > size else None)


def ids(filter: TaskFilter, limit: int = MOST_ROWS, before: int | None = None) -> list[int]:  # noqa: A002
    """The ids alone, newest first: for acting on many."""
    checks.whole(limit, "limit", 1, MOST_IDS)
    return _find(filter, limit, before)


def by_ids(ids: Sequence[int]) -> list[Task]:
    """These tasks, in this order; those that are gone are left out."""
    with reading() as session:
        query = select(Task).where(_task.id.in_(ids)).execution_options(populate_existing=True)
        found = {task.id: task for task in session.execute(query).scalars()}
    return [found[i] for i in ids if i in found]


def count(filter: TaskFilter, stop_at: int = STOP_AT) -> Count:  # noqa: A002
    """How many there are; counting stops at `stop_at`."""
    checks.whole(stop_at, "stop_at", 1, 1_000_000)
    with reading() as session:
        limited = [branch.limit(stop_at + 1).subquery() for branch in branches(session, filter, None)]
        total = sum(session.execute(select(func.count()).select_from(some)).scalar_one() for some in limited)
    return Count(min(total, stop_at), total > stop_at)


def _find(filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    if before is not None:
        checks.whole(before, "before", 1, 2**53)
    with reading() as session:
        if is_postgresql() and filter.words:
            return _find_words(session, filter, limit, before)
        if filter.finished_from is not None and not filter.words:
            return _find_ended(session, filter, limit, before)
        return _newest(session, branches(session, filter, before), filter, limit)


def _find_words(session: Session, filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    """First among the newest; then all by the index of words.

    PostgreSQL guesses badly how many tasks have a word that begins so. Left to itself it would read through all tasks
    for a rare one.
    """
    end = before or _end(session)
    recent = [branch.where(*fulltext.between(end - NEWEST, end)) for branch in branches(session, filter, before)]
    found = _newest(session, recent, filter, limit)
    if len(found) == limit or end <= NEWEST:
        return found
    return _newest(session, branches(session, filter, before, words_first=True), filter, limit)


def _find_ended(session: Session, filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    """First among the newest; then all that ended since, by the index of endings: a quiet hour has few of them, and
    whoever looked for them by their ids would read the whole history."""
    end = before or _end(session)
    of_all = branches(session, filter, before)
    found = _newest(session, [branch.where(_task.id >= end - NEWEST) for branch in of_all], filter, limit)
    if len(found) == limit or end <= NEWEST:
        return found
    return _newest(session, of_all, filter, limit, sort=True)


def _end(session: Session) -> int:
    return 1 + (session.execute(select(func.max(_task.id))).scalar() or 0)


def _newest(
    session: Session,
    queries: list[Select],
    filter: TaskFilter,  # noqa: A002
    limit: int,
    sort: bool = False,
) -> list[int]:
    limited = [_newest_first(query, filter, sort).limit(limit) for query in queries]
    if len(limited) == 1:
        return list(session.execute(limited[0]).scalars())
    merged = union_all(*(select(query.subquery().c.id) for query in limited)).subquery()
    return list(session.execute(select(merged.c.id).order_by(merged.c.id.desc()).limit(limit)).scalars())


def _newest_first(query: Select, filter: TaskFilter, sort: bool) -> Select:  # noqa: A002
    if sort or (filter.held and not filter.words):
        return query.order_by(text("+tasks.id DESC"))  # the sign: all that match are read and sorted, and nothing else
    return fulltext.newest_first(query) if filter.words else query.order_by(_task.id.desc())
