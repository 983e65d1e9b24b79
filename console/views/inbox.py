"""What ended of what I asked for."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from console import pages, who
from console.ui import living, look, outage, pager, parts, returning, rows, say, tell
from models import Status
from services import inbox
from services.errors import ServiceError
from services.inbox import Entry

SIZE = 20
CURSORS = "_inbox_cursors"

parts.title("Inbox")


def do(act: Callable[..., None], *given: Any) -> None:
    """One act as the signed-in operator."""
    try:
        with who.acting():
            act(*given)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)


def open_it(task_id: int) -> None:
    """Read, and gone to."""
    do(inbox.mark_read, [task_id])
    pages.open_task(task_id)


def go_back(task_id: int, path: str) -> None:
    """Read, and gone to where it was asked for."""
    do(inbox.mark_read, [task_id])
    returning.go(path, task_id)


def again(task_id: int) -> None:
    """The form with the same in it."""
    do(inbox.mark_read, [task_id])
    st.switch_page(pages.page("run"), query_params={"again": str(task_id)})


def line(entry: Entry) -> None:
    """One entry."""
    task = entry.task
    task_id = task.id
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"entry_{task_id}"):
        st.markdown(f":{look.COLOURS[task.status]}[{look.icon(task.status)}]", width="content")
        with st.container(gap=None, key=f"words_{task_id}"):
            name = say.plain(say.short(task.title or task.type, 90))
            st.button(
                name if entry.read else f"**{name}** :primary[●]", key=f"open_{task_id}", type="tertiary",
                on_click=open_it, args=(task_id,),
            )  # fmt: skip
            st.caption(_facts(entry))
        if entry.return_path is not None and returning.leads_to(entry.return_path):
            _icon("reply", "Back to where it was asked", f"back_{task_id}", go_back, task_id, entry.return_path)
        _icon("content_copy", "Run again with these arguments", f"again_{task_id}", again, task_id)
        if entry.dismissed:
            _icon("undo", "Restore", f"restore_{task_id}", do, inbox.restore, [task_id])
            return
        if not entry.read:
            _icon("done", "Mark as read", f"read_{task_id}", do, inbox.mark_read, [task_id])
        _icon("close", "Dismiss", f"dismiss_{task_id}", do, inbox.dismiss, [task_id])


def _icon(icon: str, words: str, key: str, act: Callable[..., None], *given: Any) -> None:
    st.button(f":material/{icon}:", key=key, type="tertiary", help=words, on_click=act, args=given)


def _facts(entry: Entry) -> str:
    task = entry.task
    ran = rows.ran_s(task)
    words = [
        look.NAMES[task.status], f"#{task.id}", *([task.type] if task.title else []), say.ago(task.finished_at),
        *([f"ran {say.duration(ran)}"] if ran is not None else []),
    ]  # fmt: skip
    why = task.error_class if task.status is Status.failed else task.cancel_reason
    if why and task.status is not Status.completed:
        words.append(say.short(why, 80))
    return say.plain(" · ".join(words))


def page_of(cursors: list[Any]) -> None:
    """For the pager's callbacks."""
    st.session_state[CURSORS] = cursors


@living.every(5)
@outage.told()
def board() -> None:
    """The part that lives."""
    tell.show()
    bar = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="inbox_bar")
    with bar:
        dismissed = st.toggle(
            "Show what I dismissed", key="dismissed", bind="query-params", on_change=page_of, args=([None],)
        )
    cursors: list[Any] = st.session_state.get(CURSORS) or [None]
    with who.acting():
        found = inbox.page(dismissed=dismissed, before=cursors[-1], size=SIZE)
    bar.button(
        "Mark all as read", icon=":material/done_all:", key="read_all", on_click=do, args=(inbox.mark_all_read,),
        disabled=not found.entries,
    )  # fmt: skip
    if not found.entries and len(cursors) == 1:
        if dismissed:
            parts.empty("inbox", "You have dismissed nothing.")
        else:
            parts.empty(
                "inbox", "Nothing has ended yet of what you asked for.", "What you run from here shows up when it ends."
            )
        return
    with st.container(key="entries", gap=None):
        for entry in found.entries:
            line(entry)
    pager.show("inbox", cursors, found.next_before, page_of)


board()
