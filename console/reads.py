"""Every question the pages ask, each answered once for all readers within its few seconds."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import streamlit as st

from models import Status, Task, waiting
from services import catalog, history, queues, search, stats, workers
from services.history import Failures
from services.queues import QueueState
from services.search import TaskFilter
from services.stats import Hour


@dataclass(frozen=True)
class Overview:
    """How all stands."""

    counts: dict[Status, int]
    queues: list[QueueState]
    workers: list
    schedulers: list


@st.cache_data(ttl=2, max_entries=2, show_spinner=False)
def overview() -> Overview:
    """Counts, queues, live processes."""
    return Overview(stats.by_status(), queues.list_queues(), workers.alive(), workers.alive("scheduler"))


@dataclass(frozen=True)
class Endings:
    """What ended in the last hours, and how long it ran."""

    span: list[datetime]
    hours: list[Hour]
    run: dict[str, dict[float, float]]  # seconds by type and percentage


@st.cache_data(ttl=10, max_entries=8, show_spinner=False)
def endings(hours: int) -> Endings:
    """By hour and type, from the roll-ups."""
    found = stats.by_type_and_hour(hours)
    types = sorted({hour.type for hour in found})[:30]
    span = [at for at, _ in stats.throughput(hours)]
    return Endings(span, found, {name: stats.percentiles("run", type=name, hours=hours, ps=(50, 95)) for name in types})


@st.cache_data(ttl=2, max_entries=32, show_spinner=False)
def latest(many: int, zone: str) -> list[tuple[Task, str | None]]:
    """The newest tasks, each with why it waits."""
    rows = search.page(search.TaskFilter(), size=many).rows
    return list(zip(rows, reasons(rows, ZoneInfo(zone)), strict=True))


@st.cache_data(ttl=5, max_entries=128, show_spinner=False)
def counted(wanted: TaskFilter) -> str:
    """How many match, in words; counting stops at 10,000."""
    return str(search.count(wanted))


@st.cache_data(ttl=5, max_entries=64, show_spinner=False)
def newest(wanted: TaskFilter, most: int) -> list[int]:
    """The numbers of the newest that match."""
    return search.ids(wanted, most)


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
