"""Recurring work: every schedule, what fires next, what became of what was due."""

import streamlit as st

from console import schedule_reads, who
from console.ui import living, outage, pager, parts, say, schedule_fates, schedule_form, schedule_history, schedule_list
from console.ui import schedule_words as words
from models import Role
from services.errors import InvalidInput
from services.schedules import State

SIZE = 25
CURSORS = "_schedules_cursors"
VIEWS = ("Schedules", "Coming up", "What fired")  # the address holds these words, and those of the states
STATES = {"All": None, "On": State.on, "Off": State.off, "Attention": State.attention}

parts.title("Schedules")


def look_anew() -> None:
    """From the first page on."""
    st.session_state.pop(CURSORS, None)


def clear() -> None:
    """All of them."""
    st.session_state["schedules_state"], st.session_state["schedules_text"] = "All", ""
    look_anew()


with st.container(horizontal=True, vertical_alignment="center", key="schedules_bar"):
    view = st.segmented_control(
        "View", VIEWS, key="schedules_view", bind="query-params", default=VIEWS[0], required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if view == VIEWS[0]:
        said = st.segmented_control(
            "State", list(STATES), key="schedules_state", bind="query-params", default="All", required=True,
            label_visibility="collapsed", on_change=look_anew,
        )  # fmt: skip
        state = STATES[said or "All"]
        text = st.text_input(
            "Find", key="schedules_text", bind="query-params", placeholder="Name, description or type", type="search",
            live="300ms", label_visibility="collapsed", width=260, on_change=look_anew,
        )  # fmt: skip
        counted = schedule_reads.counts()
        st.caption(
            f"{counted.on:,} on, {counted.off:,} off"
            + (f", {counted.attention:,} need{'s' * (counted.attention == 1)} attention" * bool(counted.attention)),
            width="content",
        )
    st.space("stretch")
    st.button(
        "New schedule", type="primary", icon=":material/add:", key="schedule_new", on_click=schedule_form.ask,
        args=("new",), disabled=not who.may(Role.member),
        help=None if who.may(Role.member) else "This takes the role member",
    )  # fmt: skip


@living.every(4)
@outage.told()
def board() -> None:
    """The list, which lives."""
    cursors: list[str | None] = st.session_state.get(CURSORS) or [None]
    try:
        found = schedule_reads.page(state, text or "", cursors[-1], SIZE)
    except InvalidInput as refusal:
        st.warning(say.sentence(refusal))
        return None
    rows, more = found[:SIZE], len(found) > SIZE
    if not rows and len(cursors) > 1:  # all of this page are gone
        return look_anew()
    if not rows:
        return nothing()
    with st.container(gap=None):
        st.html(words.clock())
        schedule_list.show(rows, schedule_reads.latest(tuple(row.id for row in rows), schedule_list.CELLS))
    schedule_fates.legend()
    pager.show("schedules", cursors, rows[-1].name if more else None, page_of, "Previous", "Next")
    return None


def nothing() -> None:
    """Why there is nothing, and what to do about it."""
    if (text or "").strip() or state is not None:
        word = "needs attention" if state == State.attention and not text else "matches"
        parts.empty("filter_alt_off", f"No schedule {word}.")
        st.button("Show all", key="schedules_clear", on_click=clear)
        return
    parts.empty(
        "event_repeat", "Nothing recurs yet.",
        "A schedule runs a task by the clock: every night, every 15 minutes, on the first Monday of the month.",
    )  # fmt: skip
    if who.may(Role.member):
        st.button(
            "Make the first one", icon=":material/add:", key="schedule_first", on_click=schedule_form.ask, args=("new",)
        )
    st.caption("From Python, a deploy declares its schedules as often as it likes:")
    st.code(
        'schedules.ensure("morning words", word_count, {"text": "as of {{ slot }}"}, cron="0 6 * * 1-5", '
        'zone="Europe/Berlin")',
        language="python", wrap_lines=True,
    )  # fmt: skip


def page_of(cursors: list[str | None]) -> None:
    """For the pager's callbacks."""
    st.session_state[CURSORS] = cursors


@living.every(4)
@outage.told()
def what_comes() -> None:
    """The next fires of all schedules, soonest first."""
    found = schedule_reads.upcoming(30)
    if not found:
        parts.empty("event_upcoming", "Nothing is to come.", "No schedule is on, or none has a next fire.")
        return
    with st.container(gap=None):
        st.html(words.clock())
        schedule_list.coming(found)
    st.caption("Of each schedule at most its next three.")


if view == VIEWS[1]:
    what_comes()
elif view == VIEWS[2]:
    schedule_history.board(None)
else:
    board()
schedule_form.show_if_asked()
