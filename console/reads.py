"""Every question the pages ask, each answered once for all readers within its few seconds."""

from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from models import Status, Task, waiting
from services import catalog, history, queues, search
from services.history import Failures
from services.search import TaskFilter


@st.cache_data(ttl=2, max_entries=32, show_spinner=False)
def latest(many: int, zone: str) -> list[tuple[Task, str | None]]:
    """The newest tasks, each with why it waits."""
    rows = search.page(search.TaskFilter(), size=many).rows
    return list(zip(rows, reasons(rows, ZoneInfo(zone)), strict=True))


@st.cache_data(ttl=5, max_entries=128, show_spinner=False)
def counted(wanted: TaskFilter) -> str:
    """How many match, in words; counting stops at 10,000."""
    return str(search.count(wanted))


@st.cache_data(ttl=10, max_entries=2, show_spinner=False)
def names() -> tuple[list[str], list[str]]:
    """The types and queues that there are."""
    return sorted(catalog.declared()), [queue.name for queue in queues.list_queues()]


@st.cache_data(ttl=10, max_entries=2, show_spinner=False)
def failures() -> list[tuple[Failures, str | None, datetime, datetime]]:
    """Kinds of failure, the latest first; with the last message, and when it came up first and last."""
    found = history.failures()
    tasks = {task.id: task for task in search.by_ids([i for one in found for i in (one.first_id, one.last_id)])}
    rows = []
    for one in found:
        first, last = tasks.get(one.first_id), tasks.get(one.last_id)
        if first is not None and last is not None and last.finished_at is not None:
            rows.append((one, last.error, first.finished_at or first.created_at, last.finished_at))
    return rows


def reasons(rows: list[Task], zone: ZoneInfo) -> list[str | None]:
    """Why each waits; what holds for a whole queue is asked once."""
    known: dict[tuple, str] = {}
    found: list[str | None] = []
    for task in rows:
        alike = (task.queue, task.type, task.concurrency_key, task.parked)
        words = known.get(alike) if task.status is Status.queued else None
        words = words or waiting.reason(task, zone)
        if task.status is Status.queued and words and not words.endswith("in line"):
            known[alike] = words
        found.append(words)
    return found
