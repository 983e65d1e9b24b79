"""The figures of Overview and of Workers and queues, each asked for once for all readers within its few seconds."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from console import schedule_reads
from models import Schedule, now
from services import attention, queues, spans, trends
from services.attention import Deploy, Held, Processes, Stuck
from services.depths import Depths
from services.depths import depths as read_depths
from services.queues import QueueState
from services.schedules import Trouble
from services.trends import Trend

MOST_TROUBLED = 20  # schedules of each trouble
KEPT_FOR_S = {"1h": 5, "6h": 10, "24h": 20, "7d": 60}  # the longer the span, the less a minute changes


@dataclass(frozen=True)
class Stand:
    """How all stands now."""

    processes: Processes
    queues: list[QueueState]
    stuck: list[Stuck]
    unserved: list[tuple[str, int]]
    unknown: list[tuple[str, int]]
    late: datetime | None
    schedules: dict[Trouble, list[Schedule]]  # those in trouble, of each trouble at most a few
    held: Held | None


@st.cache_data(ttl=2, max_entries=2, show_spinner=False)
def stand() -> Stand:
    """Processes, queues, and what is wrong with them."""
    processes, lines = attention.processes(), queues.list_queues()
    return Stand(
        processes, lines, attention.stuck(attention.running()), attention.unserved(lines, processes.alive),
        attention.unknown_types(processes.alive), attention.late_release(),
        schedule_reads.attention(MOST_TROUBLED),
        attention.held(),
    )  # fmt: skip


@st.cache_data(ttl=2, max_entries=2, show_spinner=False)
def at_work() -> dict[str, list[tuple[int, str, str, datetime | None]]]:
    """What each worker runs, the longest first: id, type, title, start."""
    found: dict[str, list[tuple[int, str, str, datetime | None]]] = {}
    for row in attention.running():
        found.setdefault(row.worker, []).append((row.id, row.type, row.title, row.started_at))
    return found


@st.cache_data(ttl=5, max_entries=2, show_spinner=False)
def scheduled() -> bool:
    """Whether a scheduler is alive."""
    return bool(attention.processes().of("scheduler"))


@st.cache_data(ttl=30, max_entries=8, show_spinner=False)
def deploys(span: str) -> list[Deploy]:
    """Changes of the workers' version."""
    return attention.deploys(now() - timedelta(minutes=spans.span(span).minutes))


def trend(span: str) -> Trend:
    """What ended, and how long it took."""
    return _trend(span, _turn(span))


def depths(span: str) -> Depths:
    """How long the lines were."""
    return _depths(span, _turn(span))


@st.cache_data(ttl=120, max_entries=8, show_spinner=False)
def _trend(span: str, turn: int) -> Trend:
    return trends.trend(span)


@st.cache_data(ttl=120, max_entries=8, show_spinner=False)
def _depths(span: str, turn: int) -> Depths:
    return read_depths(span)


def _turn(span: str) -> int:
    """Another number whenever the figures of this span are due again."""
    return int(time.monotonic() // KEPT_FOR_S.get(span, 5))


def forget() -> None:
    """After an act that changes what is shown."""
    stand.clear()
    at_work.clear()
