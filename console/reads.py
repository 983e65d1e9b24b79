"""Every question the pages ask, each answered once for all readers within its few seconds."""

from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from models import GroupState, Status, Task, reading, waiting
from services import catalog, error_groups, queues, search
from services.error_groups import Group
from services.search import TaskFilter


@st.cache_data(ttl=2, max_entries=32, show_spinner=False)
def latest(many: int, zone: str) -> list[tuple[Task, str | None]]:
    """The newest tasks, each with why it waits."""
    rows = search.page(search.TaskFilter(), size=many).rows
    return list(zip(rows, reasons(rows, ZoneInfo(zone)), strict=True))


# A filter is told from another by its words: Streamlit would go through all of its fields each time
_BY_WORDS: Any = {TaskFilter: repr}


@st.cache_data(ttl=5, max_entries=128, show_spinner=False, hash_funcs=_BY_WORDS)
def counted(wanted: TaskFilter) -> str:
    """How many match, in words; counting stops at `search.STOP_AT`."""
    return str(search.count(wanted))


@st.cache_data(ttl=5, max_entries=64, show_spinner=False, hash_funcs=_BY_WORDS)
def newest(wanted: TaskFilter, most: int) -> list[int]:
    """The numbers of the newest that match."""
    return search.ids(wanted, most)


@st.cache_data(ttl=10, max_entries=2, show_spinner=False)
def names() -> tuple[list[str], list[str]]:
    """The types and queues that there are."""
    return sorted(catalog.declared()), [queue.name for queue in queues.list_queues()]


@st.cache_data(ttl=5, max_entries=8, show_spinner=False)
def error_kinds(state: str) -> list[str]:
    """The fingerprints of the kinds of failure in this state, the latest first."""
    return [group.row.fingerprint for group in error_groups.page(state)]


@st.cache_data(ttl=5, max_entries=16, show_spinner=False)
def error_details(fingerprints: tuple[str, ...]) -> list[Group]:
    """These kinds as they stand."""
    return error_groups.by_fingerprints(fingerprints)


@st.cache_data(ttl=5, max_entries=2, show_spinner=False)
def error_states() -> dict[GroupState, int]:
    """How many kinds there are in each state."""
    return error_groups.counts()


def reasons(rows: list[Task], zone: ZoneInfo) -> list[str | None]:
    """Why each waits, at one moment; what holds for all that are alike is asked once."""
    obstacles: dict[tuple, str | None] = {}
    found: list[str | None] = []
    with reading():
        for task in rows:
            if task.status is not Status.queued:
                found.append(waiting.reason(task, zone))
                continue
            alike = waiting.alike(task)
            if alike not in obstacles:
                obstacles[alike] = waiting.obstacle(task)
            found.append(obstacles[alike] or waiting.in_line(task))
    return found
