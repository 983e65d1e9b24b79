"""Looking for tasks: one filter for the list, its count, and for acting on many. Pages by id, newest first."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    cast,
    column,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, TSQUERY
from sqlmodel import Session

from models import Status, Task, reading, tables
from models.db import is_postgresql
from models.search import BROKEN, HIDDEN, TAGGED, UNFINISHED
from models.status import LIVE
from services import checks, words
from services.errors import InvalidInput
from services.indexing import forget, index
from services.timespan import ids_created

__all__ = ["Count", "Page", "TaskFilter", "by_ids", "count", "forget", "ids", "index", "page"]

MOST_ROWS = 500
MOST_IDS = 10_000
STOP_AT = 10_000
LONGEST_TEXT = 200

NEWEST = 20_000  # ids that are read through before the index of words is asked

_NUMBER = re.compile(r"#[0-9]{1,15}")
_task = tables.tasks.c
_search = tables.task_search.c
_words = table("task_words", column("rowid"))  # SQLite's full text; PostgreSQL's is a column
_lexemes: ColumnElement = literal_column("task_search.lexemes")


@dataclass(frozen=True, kw_only=True)
class TaskFilter:
    """Which tasks. What is None is not asked; times are from (included) to (excluded).

    `text` finds tasks by the beginnings of words in id, type, title, tags, error and the start of the payload; all must
    be there. Signs are taken literally; `#41` is the task of that number. It knows what was enqueued or failed until
    about two seconds ago. Raises `InvalidInput`.
    """

    status: Collection[Status | str] | Status | str | None = None
    type: str | None = None
    queue: str | None = None
    created_by_kind: str | None = None  # operator, api, task, schedule
    created_by_id: str | None = None
    owner: int | None = None
    schedule_id: int | None = None
    text: str | None = None
    error: str | None = None  # a fingerprint, or an error's class
    tag: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    finished_from: datetime | None = None
    finished_to: datetime | None = None
    deleted: bool = False  # True: only those that were deleted
    root_id: int | None = None
    parent_id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", _statuses(self.status))
        for name in ("type", "queue", "created_by_kind", "created_by_id", "error", "tag"):
            if getattr(self, name) is not None:
                checks.name(getattr(self, name), name, 200)
        for name in ("owner", "schedule_id", "root_id", "parent_id"):
            if getattr(self, name) is not None:
                checks.whole(getattr(self, name), name, 1, 2**53)
        for name in ("created_from", "created_to", "finished_from", "finished_to"):
            _aware(getattr(self, name), name)
        if type(self.deleted) is not bool:
            raise InvalidInput("deleted", f"{checks.shortened(self.deleted)} is neither True nor False")
        object.__setattr__(self, "text", _question(self.text))

    @property
    def by_words(self) -> bool:
        """Whether the index of words is asked."""
        return self.text is not None and not _NUMBER.fullmatch(self.text)


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
        if is_postgresql() and filter.by_words:
            return _find_words(session, filter, limit, before)
        return _newest(session, _branches(session, filter, before), filter, limit)


def _find_words(session: Session, filter: TaskFilter, limit: int, before: int | None) -> list[int]:  # noqa: A002
    """First among the newest; then all by the index of words.

    PostgreSQL guesses badly how many tasks have a word that begins so. Left to itself it would read through all tasks
    for a rare one.
    """
    end = before or 1 + (session.execute(select(func.max(_task.id))).scalar() or 0)
    recent = [  # said of both tables: the planner does not conclude it from their being joined
        branch.where(_task.id >= end - NEWEST, _search.task_id >= end - NEWEST, _search.task_id < end)
        for branch in _branches(session, filter, before)
    ]
    found = _newest(session, recent, filter, limit)
    if len(found) == limit or end <= NEWEST:
        return found
    return _newest(session, _branches(session, filter, before, words_first=True), filter, limit)


def _newest(session: Session, branches: list[Select], filter: TaskFilter, limit: int) -> list[int]:  # noqa: A002
    limited = [_newest_first(branch, filter).limit(limit) for branch in branches]
    if len(limited) == 1:
        return list(session.execute(limited[0]).scalars())
    merged = union_all(*(select(branch.subquery().c.id) for branch in limited)).subquery()
    return list(session.execute(select(merged.c.id).order_by(merged.c.id.desc()).limit(limit)).scalars())


def _newest_first(query: Select, filter: TaskFilter) -> Select:  # noqa: A002
    # SQLite's full text yields rows in this order by itself, if it is asked by its own name of the id
    return query.order_by((_words.c.rowid if filter.by_words and not is_postgresql() else _task.id).desc())


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
    query = _from(filter, words_first).where(*conditions)
    return [query.where(*of_status) for of_status in _of_statuses(filter.status)]


def _from(filter: TaskFilter, words_first: bool) -> Select:  # noqa: A002
    """Ids of tasks, with the text that is looked through."""
    query = select(_task.id)
    if filter.text is None:
        return query
    if not filter.by_words:
        return query.where(_task.id == int(filter.text[1:]))
    asked = words.terms(filter.text)
    if is_postgresql():
        match = _lexemes.op("@@")(cast(literal(_as_tsquery(asked)), TSQUERY))
        if words_first:  # OFFSET keeps the planner from mixing this with the rest
            return query.where(_task.id.in_(select(_search.task_id).where(match, *_literally(asked)).offset(0)))
        query = query.join_from(tables.tasks, tables.task_search, _search.task_id == _task.id)
        return query.where(match, *_literally(asked))
    query = query.join_from(_words, tables.tasks, _task.id == _words.c.rowid)
    if any(term.literal for term in asked):
        query = query.join(tables.task_search, _search.task_id == _task.id)
    return query.where(text("task_words MATCH :asked").bindparams(asked=_as_match(asked)), *_literally(asked))


def _literally(asked: Sequence[words.Term]) -> list[ColumnElement[bool]]:
    find = func.strpos if is_postgresql() else func.instr
    return [find(_search.words, term.literal) > 0 for term in asked if term.literal]


def _as_tsquery(asked: Sequence[words.Term]) -> str:
    """Words hold letters and digits alone, so there is nothing in them to escape."""
    return " & ".join(f"'{word}'" + ":*" * (word is term.words[-1]) for term in asked for word in term.words)


def _as_match(asked: Sequence[words.Term]) -> str:
    return " AND ".join(f'"{word}"' + "*" * (word is term.words[-1]) for term in asked for word in term.words)


def _of_statuses(statuses: Any) -> list[list[Any]]:
    """Conditions, in the letters of the partial indexes: SQLite takes them for nothing else."""
    if not statuses:
        return [[]]
    found: list[list[Any]] = []
    live = LIVE & statuses
    if live:
        narrow = [text("tasks.status = 'running'")] if live == {Status.running} else [_task.status.in_(live)]
        found.append([text(f"tasks.{UNFINISHED}"), *([] if live == LIVE else narrow)])
    for status in sorted(statuses - LIVE):
        one = [_task.status == status]
        found.append(one if status is Status.completed else [text(f"tasks.{BROKEN}"), *one])
    return found


def _conditions(filter: TaskFilter) -> list[ColumnElement[bool]]:  # noqa: A002
    names = "type", "queue", "created_by_kind", "created_by_id", "owner", "schedule_id", "root_id", "parent_id"
    found: list[Any] = [_task[name] == value for name in names if (value := getattr(filter, name)) is not None]
    found.append(text(f"tasks.{HIDDEN}") if filter.deleted else _task.deleted_at.is_(None))
    if filter.error is not None:
        found.append(or_(_task.fingerprint == filter.error, _task.error_class == filter.error))
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


def _statuses(given: Any) -> frozenset[Status] | None:
    if given is None:
        return None
    many = [given] if isinstance(given, str) else list(given)
    wrong = [value for value in many if value not in list(Status)]
    if wrong:
        raise InvalidInput("status", f"{checks.shortened(wrong[0])} is none of {', '.join(Status)}")
    return frozenset(Status(value) for value in many) or None


def _aware(moment: Any, field: str) -> None:
    if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
        raise InvalidInput(field, f"{checks.shortened(moment)} is not a datetime with its time zone")


def _question(given: Any) -> str | None:
    if given is None or (isinstance(given, str) and not given.strip()):
        return None
    if not isinstance(given, str):
        raise InvalidInput("text", f"{checks.shortened(given)} is not text")
    checks.text(given, "text")
    asked = given.strip()
    if len(asked) > LONGEST_TEXT:
        raise InvalidInput("text", f"{len(asked):,} characters are more than {LONGEST_TEXT}; shorten it")
    if not _NUMBER.fullmatch(asked) and not words.terms(asked):
        raise InvalidInput("text", f"{checks.shortened(asked)} has no letter or digit to look for")
    return asked
