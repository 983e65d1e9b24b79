"""Tasks as rows of a grid."""

from datetime import tzinfo
from typing import Any

import pyarrow as pa
import streamlit as st

from console.ui import look, say
from models import Status, Task, now


def frame(tasks: list[Task], reasons: list[str | None]) -> pa.Table:
    """One row a task; text of others is cleaned of what would reorder it, and a grid shows it as text."""
    where = say.zone()
    return pa.Table.from_pylist([_row(task, why, where) for task, why in zip(tasks, reasons, strict=True)], _SCHEMA)


ID_WIDTH = 70
# What fits beside one another into a window of 1440 pixels; the pinned first column stays when a phone scrolls
IN_LIST = (
    "Task", "Status", "Type", "Title", "Now", "Progress", "Waited", "Ran", "Attempt", "Priority", "Queue", "Tags",
    "Created",
)  # fmt: skip
_KINDS = {"Status": pa.list_(pa.string()), "Tags": pa.list_(pa.string()), "Progress": pa.float64()}
_SCHEMA = pa.schema((name, _KINDS.get(name, pa.string())) for name in IN_LIST)


def columns(**more: Any) -> dict[str, Any]:
    """How the grid shows them; `more` replaces single columns."""
    text, number = st.column_config.TextColumn, st.column_config.ProgressColumn
    return {
        "Task": text(width=ID_WIDTH, pinned=True),
        "Status": look.pill_column(width=90),
        "Type": text(width=105),
        "Title": text(width=130),
        "Now": text(width=180, help="Why it waits, what it does, or what it came to"),
        "Progress": number("%", width=60, min_value=0, max_value=100, format="%d%%", help="How far it is"),
        "Waited": text(width=64, help="How long it stood in line"),
        "Ran": text(width=64, help="How long its last attempt ran, or has run"),
        "Attempt": text("Try", width=40, help="How often a worker took it"),
        "Priority": text("Prio", width=45, help="Priority: higher goes first"),
        "Queue": text(width=72),
        "Tags": st.column_config.ListColumn(width=100),
        "Created": text(width=104),
        **more,
    }


def _row(task: Task, why: str | None, where: tzinfo) -> dict[str, object]:
    ran, waited = ran_s(task), waited_s(task)
    return {
        "Task": str(task.id),
        "Status": [look.NAMES[task.status]],
        "Type": say.visible(task.type),
        "Title": say.visible(task.title) or None,
        "Now": say.visible(doing(task, why)) or None,
        "Progress": task.progress_percent if task.status is Status.running else None,
        "Ran": None if ran is None else say.duration(ran),
        "Waited": None if waited is None else say.duration(waited),
        "Attempt": str(task.epoch) if task.epoch else None,
        "Priority": str(task.priority),
        "Queue": say.visible(task.queue),
        "Tags": [say.visible(tag) for tag in task.tags],
        "Created": say.at(task.created_at, where),
    }


def doing(task: Task, why: str | None) -> str:
    """Why it waits, what it does, or what it came to."""
    if task.status is Status.running:
        if task.cancel_requested_at is not None:
            return "stopping: it has seen the request" if task.cancel_seen_at else "asked to stop"
        return task.progress_note or ""
    if task.status is Status.failed:
        return task.error_class or ""
    if task.status is Status.cancelled:
        return task.cancel_reason or ""
    return why or ""


def waited_s(task: Task) -> float | None:
    """Seconds from when it could have started to when it did, or to now."""
    since = max(task.created_at, task.queued_at or task.created_at)
    until = task.started_at or task.finished_at or now()
    return (until - since).total_seconds() if until >= since and task.status is not Status.pending else None


def ran_s(task: Task) -> float | None:
    """Seconds that its last attempt ran, or has run."""
    if task.started_at is None or not (task.finished or task.status is Status.running):
        return None
    return max(0.0, ((task.finished_at or now()) - task.started_at).total_seconds())
