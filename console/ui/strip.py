"""The strip at the top of every page: what of mine runs now, and what has ended since I looked."""

import streamlit as st
from sqlalchemy.exc import DBAPIError

from console import pages, who
from console.ui import bridge, living, look, say
from models import Status, Task, db, reading
from services import audit, inbox

TICK_S = 4
TOLD = "_strip_told"
MOST_TOASTS = 3
SHOWN = 6

_SAYS = {Status.completed: "has completed", Status.failed: "has failed", Status.cancelled: "was cancelled"}


@living.every(TICK_S)
def show() -> None:
    """The part that lives; where the database is away it is silent, as the page says so."""
    me = who.me().operator
    try:
        with audit.acting_as(me), reading():
            running, unread = inbox.running(), inbox.unread()
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        return
    fresh = _fresh(unread)
    _toast(fresh)
    with st.container(key="strip", horizontal=True, horizontal_alignment="right", gap="small"):
        _menu(running, unread)
    with st.container(key="bridge_place"):
        bridge.show(me, counted(unread), fresh[:SHOWN])


def counted(unread: list[Task]) -> str:
    """How many are unread, for a badge; nothing for none."""
    many = len(unread)
    return "" if not many else f"{many}" if many < inbox.STOP_AT else f"{inbox.STOP_AT - 1}+"


def _menu(running: list[Task], unread: list[Task]) -> None:
    words = [f"{len(running)} running"] if running else []
    words += [f"{counted(unread)} new"] if unread else []
    icon = "spinner" if running else ":material/mark_email_unread:" if unread else ":material/inbox:"
    with st.popover(" · ".join(words) or "Inbox", icon=icon, type="tertiary", key="strip_menu"):
        for task in running[:SHOWN]:
            _running(task)
        if len(running) > SHOWN:
            st.caption(f"and {len(running) - SHOWN} more that run")
        for task in unread[:SHOWN]:
            label = f":{look.COLOURS[task.status]}[{look.icon(task.status)}] {say.plain(say.short(_name(task), 60))}"
            st.page_link(pages.page("task"), label=label, query_params={"id": str(task.id)})
        if not running and not unread:
            st.caption("Nothing of yours runs, and nothing is new.")
        st.page_link(pages.page("inbox"), label="Open the inbox", icon=":material/inbox:", query_params={})


def _running(task: Task) -> None:
    label = say.plain(say.short(_name(task), 60))
    st.page_link(pages.page("task"), label=label, icon=look.icon(task.status), query_params={"id": str(task.id)})
    share = min(100.0, max(0.0, task.progress_percent or 0.0)) / 100
    st.progress(share, text=say.plain(say.short(task.progress_note, 60)) if task.progress_note else None)


def _fresh(unread: list[Task]) -> list[Task]:
    """Endings that came since this page was opened, each once."""
    ends = {(task.id, task.finished_at) for task in unread}
    told = st.session_state.setdefault(TOLD, ends)
    fresh = [task for task in unread if (task.id, task.finished_at) not in told]
    st.session_state[TOLD] = ends
    return fresh


def _toast(fresh: list[Task]) -> None:
    for task in fresh[:MOST_TOASTS]:
        st.toast(f"{say.plain(say.short(_name(task), 80))} {_SAYS[task.status]}.", icon=look.icon(task.status))
    if len(fresh) > MOST_TOASTS:
        st.toast(f"{len(fresh) - MOST_TOASTS} more have ended.", icon=":material/inbox:")


def _name(task: Task) -> str:
    return f"{task.title or task.type} #{task.id}"
