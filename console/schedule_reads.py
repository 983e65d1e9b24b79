"""What the pages ask of schedules, each answered once for all readers within its few seconds."""

import streamlit as st

from models import Schedule
from services import schedules
from services.schedules import Counts, FireView, Latest, Output, Trouble, Upcoming

Key = tuple  # of a page of history: where it begins


@st.cache_data(ttl=2, max_entries=64, show_spinner=False)
def page(state: str | None, words: str, after: str | None, size: int) -> list[Schedule]:
    """One page of the list, and one row more where there is another."""
    return schedules.page(after=after, limit=size + 1, state=state, words=words or None)


@st.cache_data(ttl=2, max_entries=64, show_spinner=False)
def latest(ids: tuple[int, ...], most: int) -> dict[int, list[Latest]]:
    """The latest fires of each."""
    return schedules.latest(ids, most)


@st.cache_data(ttl=5, max_entries=2, show_spinner=False)
def counts() -> Counts:
    """How many there are."""
    return schedules.counts()


@st.cache_data(ttl=5, max_entries=2, show_spinner=False)
def attention(limit: int) -> dict[Trouble, list[Schedule]]:
    """What a person should look at."""
    return schedules.attention(limit)


@st.cache_data(ttl=2, max_entries=8, show_spinner=False)
def upcoming(limit: int) -> list[Upcoming]:
    """What fires next, across all: of each its next three, so that one that fires each minute hides no other."""
    return schedules.upcoming(limit, each=3)


@st.cache_data(ttl=2, max_entries=64, show_spinner=False)
def history(schedule_id: int | None, after: Key | None, outcomes: tuple[str, ...], size: int) -> list[FireView]:
    """One page of what became of slots, and one more where there is another."""
    return schedules.history(schedule_id, after=after, outcomes=list(outcomes) or None, limit=size + 1)


@st.cache_data(ttl=4, max_entries=64, show_spinner=False)
def outputs(task_ids: tuple[int, ...]) -> dict[int, Output]:
    """What runs left."""
    return schedules.outputs(task_ids)


def forget() -> None:
    """After an act that changes what is shown."""
    for question in (page, latest, counts, attention, upcoming, history, outputs):
        question.clear()
