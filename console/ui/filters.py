"""The filters of the Tasks page: widgets bound to the URL, and the filter that they make."""

from typing import Any

import streamlit as st

from console import asked, reads
from console.asked import EMPTY, ENDED, KEYS, MAKERS, SPANS, STATUSES
from console.ui import export_menu, say, views_menu
from services.errors import InvalidInput
from services.search import TaskFilter

HIDDEN = ("by", "error", "tag", "held", "deleted")  # behind "More"


def chosen() -> TaskFilter | None:
    """Draw the widgets; the filter they make, or None with a sentence where it cannot be."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="filter_status"
    ):
        st.pills(
            "Status", list(STATUSES), selection_mode="multi", key="status", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip
        menus = st.container(horizontal=True, width="content", gap="small")
    with st.container(horizontal=True, vertical_alignment="center", key="filter_words"):
        st.text_input(
            "Search", key="text", bind="query-params", type="search", icon=":material/search:",
            placeholder="Words, or #number", label_visibility="collapsed", max_chars=200, width=230,
        )  # fmt: skip
        types, queues = reads.names()
        _one_of("type", types, "Any type")
        _one_of("queue", queues, "Any queue")
        st.selectbox(
            "Created", list(SPANS), index=None, key="created", bind="query-params", placeholder="Created any time",
            label_visibility="collapsed", width=165,
        )  # fmt: skip
        st.selectbox(
            "Ended", list(ENDED), index=None, key="ended", bind="query-params", placeholder="Ended any time",
            label_visibility="collapsed", width=160,
        )  # fmt: skip
        with st.popover(_more_label(), icon=":material/tune:"):
            _made_by()
            st.text_input("Error class or fingerprint", key="error", bind="query-params", max_chars=200)
            st.text_input("Tag", key="tag", bind="query-params", max_chars=50)
            st.toggle("Only held tasks", key="held", bind="query-params", help="They wait until somebody releases them")
            st.toggle("Only deleted tasks", key="deleted", bind="query-params")
        if any_chosen():
            st.button("Clear", key="clear_filters", type="tertiary", icon=":material/close:", on_click=clear)
    with menus:  # only now is it known what the address says
        views_menu.show(said(), choose)
        export_menu.show(said())
    try:
        return asked.task_filter(said())
    except InvalidInput as refusal:
        st.warning(say.sentence(refusal), icon=":material/filter_alt_off:")
        return None


def said() -> dict[str, Any]:
    """What the widgets say now, by name."""
    return {key: st.session_state.get(key, empty) for key, empty in EMPTY.items()}


def any_chosen() -> bool:
    """Whether anything is asked."""
    return any(st.session_state.get(key) for key in KEYS)


def choose(given: dict[str, Any]) -> None:
    """For a callback: let the widgets say this, and nothing else."""
    for key, empty in EMPTY.items():
        value = given.get(key, empty)
        fits = type(value) is type(empty) or (empty is None and isinstance(value, str))
        st.session_state[key] = value if fits else empty
    st.session_state["status"] = [name for name in st.session_state["status"] if name in STATUSES]
    for key, known in (("created", SPANS), ("ended", ENDED)):
        if st.session_state[key] not in known:
            st.session_state[key] = None


def clear() -> None:
    """Back to all tasks."""
    choose({})


def _one_of(key: str, names: list[str], placeholder: str) -> str | None:
    now_said = st.session_state.get(key)  # of a saved view: a type that no worker has declared lately is asked for, too
    return st.selectbox(
        key.capitalize(), names if now_said in (None, *names) else [*names, now_said], index=None, key=key,
        bind="query-params", placeholder=placeholder, label_visibility="collapsed", width=155,
    )  # fmt: skip


def _made_by() -> None:
    said = st.session_state.get("by")
    st.selectbox(
        "Created by", list(MAKERS) if said in (None, "", *MAKERS) else [*MAKERS, said], index=None, key="by",
        bind="query-params", accept_new_options=True, placeholder="Choose, or type a name",
        help="Or type `schedule 4`, `task 12`: what that one made",
    )  # fmt: skip


def _more_label() -> str:
    address = st.query_params  # on a page's first run the widgets have not spoken yet
    n = sum(bool(st.session_state[key] if key in st.session_state else address.get(key)) for key in HIDDEN)
    return f"More ({n})" if n else "More"
