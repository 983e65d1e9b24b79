"""Looking for tasks: pages by id, newest first; counts that stop; ids for acting on many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, text, union_all
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from models import Status, Task, reading, tables
from models.db import is_postgresql
from models.search import BROKEN, HIDDEN, NOT_BY_CODE, TAGGED, UNFINISHED
from models.status import LIVE
from models.task import HELD
from services import checks, fulltext
from services.fulltext import forget
from services.indexing import index
from services.task_filter import TaskFilter
from services.timespan import ids_created

__all__ = ["Count", "Page", "TaskFilter", "by_ids", "count", "forget", "ids", "index", "page"]

MOST_ROWS = 500
MOST_IDS = 10_000
STOP_AT = 2_000  # a page counts no farther: that takes a few milliseconds, however many there are
NEWEST = 20_000  # ids that are read through before the index of words, or of endings, is asked

_task = tables.tasks.c
_HELD = " AND ".join(f"tasks.{term}" for term in HELD.split(" AND "))  # in the letters of its index


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
        limited = [branch.limit(stop_at + 1).subquery() for branch in _branches(session, filter, None)]
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
        return _newest(session, _branches(session, filter, before), filter, limit)


def _find_words(session: Session, filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    """First among the newest; then all by the index of words.

    PostgreSQL guesses badly how many tasks have a word that begins so. Left to itself it would read through all tasks
    for a rare one.
    """
    end = before or _end(session)
    recent = [branch.where(*fulltext.between(end - NEWEST, end)) for branch in _branches(session, filter, before)]
    found = _newest(session, recent, filter, limit)
    if len(found) == limit or end <= NEWEST:
        return found
    return _newest(session, _branches(session, filter, before, words_first=True), filter, limit)


def _find_ended(session: Session, filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    """First among the newest; then all that ended since, by the index of endings: a quiet hour has few of them, and
    whoever looked for them by their ids would read the whole history."""
    end = before or _end(session)
    branches = _branches(session, filter, before)
    found = _newest(session, [branch.where(_task.id >= end - NEWEST) for branch in branches], filter, limit)
    if len(found) == limit or end <= NEWEST:
        return found
    return _newest(session, branches, filter, limit, sort=True)


def _end(session: Session) -> int:
    return 1 + (session.execute(select(func.max(_task.id))).scalar() or 0)


def _newest(
    session: Session,
    branches: list[Select],
    filter: TaskFilter,  # noqa: A002
    limit: int,
    sort: bool = False,
) -> list[int]:
    limited = [_newest_first(branch, filter, sort).limit(limit) for branch in branches]
    if len(limited) == 1:
        return list(session.execute(limited[0]).scalars())
    merged = union_all(*(select(branch.subquery().c.id) for branch in limited)).subquery()
    return list(session.execute(select(merged.c.id).order_by(merged.c.id.desc()).limit(limit)).scalars())


def _newest_first(query: Select, filter: TaskFilter, sort: bool) -> Select:  # noqa: A002
    if sort or (filter.held and not filter.words):
        return query.order_by(text("+tasks.id DESC"))  # the sign: all that match are read and sorted, and nothing else
    return fulltext.newest_first(query) if filter.words else query.order_by(_task.id.desc())


def _branches(
    session: Session,
    filter: TaskFilter,  # noqa: A002
    before: int | None,
    words_first: bool = False,
) -> list[Select]:
    """The filter as queries of ids, one for each group of statuses that has an index of its own."""
    conditions = _conditions(filter)
    if before is not None:
        conditions.append(_task.id < before)
    if filter.created_from is not None or filter.created_to is not None:
        low, high = ids_created(session, filter.created_from, filter.created_to)
        conditions += [_task.id >= low, _task.id <= high]
    if filter.number is not None:
        conditions.append(_task.id == filter.number)
    query = select(_task.id)
    if filter.words:
        query = fulltext.matching(query, filter.words, words_first)
    query = query.where(*conditions)
    if filter.held:  # few, and by their own index
        asked = [_task.status.in_(filter.status)] if filter.status else []
        return [query.where(text(_HELD), *asked, *error) for error in _of_error(filter.error)]
    statuses = _of_statuses(filter.status, by_error=filter.error is not None)
    return [query.where(*of_status, *error) for of_status in statuses for error in _of_error(filter.error)]


def _of_error(error: str | None) -> list[list[Any]]:
    """A fingerprint or a class: each has its index, in the order of ids; asked for at once, all would be sorted."""
    if error is None:
        return [[]]
    of_class = [_task.error_class == error, _task.fingerprint.is_distinct_from(error)]
    return [[_task.fingerprint == error], of_class]


def _of_statuses(statuses: Any, by_error: bool) -> list[list[Any]]:
    """Conditions, in the letters of the partial indexes: SQLite takes them for nothing else."""
    if not statuses:
        return [[]]
    found: list[list[Any]] = []
    live = LIVE & statuses
    if live:
        narrow = [text("tasks.status = 'running'")] if live == {Status.running} else [_task.status.in_(live)]
        found.append([text(f"tasks.{UNFINISHED}"), *([] if live == LIVE else narrow)])
    ended = sorted(statuses - LIVE)
    return found + [[_task.status == one] if one is Status.completed else _broken(one, by_error) for one in ended]


def _broken(status: Status, by_error: bool) -> list[Any]:
    """PostgreSQL sees that one of them is among both; told of both, it expects a few tasks, and sorts all there are."""
    one = f"tasks.status = '{status.value}'"
    if by_error:  # whose tasks have nearly all failed: PostgreSQL, which guesses that few have, would sort them all
        return [text(f"CASE WHEN {one} THEN TRUE ELSE FALSE END" if is_postgresql() else one)]
    return [text(one)] if is_postgresql() else [text(f"tasks.{BROKEN}"), text(one)]


def _conditions(filter: TaskFilter) -> list[ColumnElement[bool]]:  # noqa: A002
    names = "type", "queue", "created_by_kind", "created_by_id", "owner", "schedule_id", "root_id", "parent_id"
    found: list[Any] = [_task[name] == value for name in names if (value := getattr(filter, name)) is not None]
    if filter.created_by_kind not in (None, "api"):
        found.append(text(f"tasks.{NOT_BY_CODE}"))
    found.append(text(f"tasks.{HIDDEN}") if filter.deleted else _task.deleted_at.is_(None))
    if filter.tag is not None:
        found.append(and_(text(f"tasks.{TAGGED}"), _tagged(filter.tag)))
    for name in ("created", "finished"):
        since, until = getattr(filter, f"{name}_from"), getattr(filter, f"{name}_to")
        if since is not None:
            found.append(_task[f"{name}_at"] >= since)
        if until is not None:
            found.append(_task[f"{name}_at"] < until)
    return found


def _tagged(tag: str) -> ColumnElement[bool]:
    if is_postgresql():
        return _task.tags.cast(JSONB).contains([tag])
    each = func.json_each(_task.tags).table_valued("value", name="each_tag")
    return select(1).select_from(each).where(each.c.value == tag).exists()
