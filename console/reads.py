"""Every question the pages ask, each answered once for all readers within its few seconds."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import streamlit as st

from models import Status, Task, waiting
from services import queues, search, stats, workers
from services.queues import QueueState


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


@st.cache_data(ttl=2, max_entries=32, show_spinner=False)
def latest(many: int, zone: str) -> list[tuple[Task, str | None]]:
    """The newest tasks, each with why it waits."""
    rows = search.page(search.TaskFilter(), size=many).rows
    return list(zip(rows, reasons(rows, ZoneInfo(zone)), strict=True))


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
