"""What an attempt tells before it ends: log lines, that it has started, its progress. A zombie writes nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Integer, String, func, insert, select, update
from sqlmodel import Session

from models import tables
from models.base import Json
from services.lifecycle.batch import WHEN, given, packed, per_database, still

Key = tuple[int, int]
Row = Mapping[str, Any]


def tell(
    session: Session,
    lines: Iterable[Row] = (),
    starts: Iterable[tuple[Key, datetime]] = (),
    progress: Iterable[Row] = (),
) -> None:
    """Write them for the attempts that still own their task."""
    begun = [{"id": key[0], "epoch": key[1], "at": at} for key, at in starts]
    for statement, rows in ((_insert_lines, lines), (_update_starts, begun), (_update_progress, progress)):
        said = [{name: value for name, value in row.items() if value is not None} for row in rows]
        if said:
            session.execute(statement(), {"given": packed(said)})


def _owned(v: Any) -> Any:
    t = tables.tasks.c
    return (t.id == v.id) & (t.epoch == v.epoch) & still(t, "running")


@per_database
def _insert_lines() -> Any:
    columns = {
        "id": BigInteger(), "epoch": Integer(), "seq": Integer(), "at": WHEN, "level": String(),
        "message": String(), "fields": Json,
    }  # fmt: skip
    v = given(columns).c
    picked = select(v.id, v.epoch, v.seq, v.at, v.level, v.message, v.fields).join(tables.tasks, _owned(v))
    names = ["task_id", "epoch", "seq", "at", "level", "message", "fields"]
    return insert(tables.task_logs).from_select(names, picked, include_defaults=False)


@per_database
def _update_starts() -> Any:
    v = given({"id": BigInteger(), "epoch": Integer(), "at": WHEN}).c
    return update(tables.tasks).where(_owned(v)).values(started_at=v.at)


@per_database
def _update_progress() -> Any:
    columns: dict[str, Any] = {
        "id": BigInteger(), "epoch": Integer(), "at": WHEN, "done": Float(), "total": Float(), "percent": Float(),
        "note": String(), "step": String(),
    }  # fmt: skip
    v = given(columns).c
    t = tables.tasks.c
    return (
        update(tables.tasks)
        .where(_owned(v))
        .values(
            progress_done=v.done, progress_total=v.total, progress_percent=v.percent, progress_note=v.note,
            progress_step=func.coalesce(v.step, t.progress_step), progress_at=v.at, updated_at=v.at,
        )
    )  # fmt: skip
