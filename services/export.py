"""What matches a filter, as CSV or JSON lines: a page at a time, never the whole in memory."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import select

from models import Role, TaskBody, now, reading, tables
from services import audit, search, spreadsheet
from services.lifecycle.batch import among, listed
from services.search import TaskFilter

MOST = 100_000  # rows of one export, the newest
PAGE = 1_000
LONGEST_ERROR = 1_000

FIELDS = (
    "id", "type", "title", "status", "queue", "priority", "tags", "attempts", "tries_failed", "workers_lost",
    "created_at", "queued_at", "started_at", "finished_at", "waited_s", "ran_s", "progress_percent", "progress_note",
    "error_class", "error", "fingerprint", "cancel_reason", "held_reason", "created_by", "worker", "unique_key",
    "concurrency_key", "parent_id", "rerun_of", "deleted_at",
)  # fmt: skip

_task = tables.tasks.c
_body = TaskBody.__table__.c  # type: ignore[attr-defined]


@unique
class Format(StrEnum):
    """How rows are written."""

    csv = "csv"
    jsonl = "jsonl"


MEDIA_TYPES = {Format.csv: "text/csv; charset=utf-8", Format.jsonl: "application/x-ndjson; charset=utf-8"}


def begin(filter: TaskFilter, kind: Format) -> str:  # noqa: A002
    """Record that the acting person takes these rows out; returns the name of the file, with the time (UTC) in it.

    Where there are more than 100,000, the name says that it holds the newest. Raises `Forbidden`.
    """
    audit.require(Role.viewer)
    more = search.count(filter, MOST).more
    audit.record("export", "tasks", kind.value, after={"filter": filter.asked(), "cut": more})
    return f"callboard-tasks-{now().astimezone(UTC):%Y%m%dT%H%M%SZ}{f'-newest-{MOST}' if more else ''}.{kind.value}"


def chunks(filter: TaskFilter, kind: Format, most: int | None = None) -> Iterator[bytes]:  # noqa: A002
    """The export, some rows at a time, newest first; the acting person's right is looked at before each.

    Each step stands for itself: they may run in different threads.
    """
    write: Callable[[list[dict[str, Any]]], str] = _as_csv if kind is Format.csv else _as_json
    actor, left, before = audit.current(), MOST if most is None else most, None
    if kind is Format.csv:
        yield (spreadsheet.MARK + spreadsheet.lines([FIELDS])).encode()
    while left > 0:
        with audit.acting(actor):
            audit.require(Role.viewer)
            ids = search.ids(filter, min(PAGE, left), before)
            rows = _rows(ids)
        if rows:
            yield write(rows).encode()
        if len(ids) < min(PAGE, left):
            return
        left, before = left - len(ids), ids[-1]


def _rows(ids: list[int]) -> list[dict[str, Any]]:
    query = select(*_COLUMNS, _body.error_text).outerjoin(tables.task_bodies, _body.task_id == _task.id)
    with reading() as session:
        some = session.execute(query.where(among(_task.id)), {"ids": listed(ids)})
        found = {task.id: task for task in some}
    return [_row(found[i]) for i in ids if i in found]


_COLUMNS = tuple(
    _task[name]
    for name in (
        "id", "type", "title", "status", "queue", "priority", "tags", "epoch", "tries", "losses", "created_at",
        "queued_at", "started_at", "finished_at", "progress_percent", "progress_note", "error_class", "fingerprint",
        "cancel_reason", "held_reason", "created_by_kind", "created_by_id", "worker", "unique_key", "concurrency_key",
        "parent_id", "rerun_of", "deleted_at",
    )
)  # fmt: skip


def _row(task: Any) -> dict[str, Any]:
    by = task.created_by_kind if task.created_by_id is None else f"{task.created_by_kind} {task.created_by_id}"
    error = task.error_text
    values = (
        task.id, task.type, task.title, task.status.value, task.queue, task.priority, task.tags, task.epoch, task.tries,
        task.losses, _time(task.created_at), _time(task.queued_at), _time(task.started_at), _time(task.finished_at),
        _seconds(task.queued_at or task.created_at, task.started_at), _seconds(task.started_at, task.finished_at),
        task.progress_percent, task.progress_note, task.error_class, error[:LONGEST_ERROR] if error else None,
        task.fingerprint, task.cancel_reason, task.held_reason, by, task.worker, task.unique_key,
        task.concurrency_key, task.parent_id, task.rerun_of, _time(task.deleted_at),
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return round((until - since).total_seconds(), 3) if since and until and until >= since else None


def _as_csv(rows: list[dict[str, Any]]) -> str:
    return spreadsheet.lines(
        (" ".join(cell) if isinstance(cell, list) else cell for cell in row.values()) for row in rows
    )


def _as_json(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
