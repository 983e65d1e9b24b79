"""A filter of tasks as queries of their ids, one for each index that finds some of them.

Conditions are written in the letters of the partial indexes: SQLite takes them for nothing else.
"""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from models import Status, tables
from models.db import is_postgresql
from models.search import BROKEN, HIDDEN, NOT_BY_CODE, TAGGED, UNFINISHED
from models.status import LIVE
from models.task import HELD
from services import fulltext
from services.task_filter import TaskFilter
from services.timespan import ids_created

_task = tables.tasks.c
_HELD = " AND ".join(f"tasks.{term}" for term in HELD.split(" AND "))


def branches(
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
