"""The filters of the Tasks page: widgets bound to the URL, and the filter that they make."""

from datetime import datetime, timedelta

import streamlit as st

from console import reads
from console.ui import look
from models import now
from services.errors import InvalidInput
from services.search import TaskFilter

SPANS = {
    "Last hour": timedelta(hours=1),
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
}
STATUSES = {name: status for status, name in look.NAMES.items()}  # the URL holds what the pills say
KEYS = ("status", "type", "queue", "text", "error", "tag", "created", "deleted")


def chosen() -> TaskFilter | None:
    """Draw the widgets; the filter they make, or None with a sentence where it cannot be."""
    statuses = st.pills(
        "Status", list(STATUSES), selection_mode="multi", key="status", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        text = st.text_input(
            "Search", key="text", bind="query-params", type="search", icon=":material/search:",
            placeholder="Words, or #number", label_visibility="collapsed", max_chars=200, width=260,
        )  # fmt: skip
        types, queues = reads.names()
        type_name = _one_of("type", types, "Any type")
        queue = _one_of("queue", queues, "Any queue")
        created = st.selectbox(
            "Created", list(SPANS), index=None, key="created", bind="query-params", placeholder="Any time",
            label_visibility="collapsed", width=160,
        )  # fmt: skip
        with st.popover(_more_label(), icon=":material/tune:"):
            error = st.text_input("Error class or fingerprint", key="error", bind="query-params", max_chars=200)
            tag = st.text_input("Tag", key="tag", bind="query-params", max_chars=50)
            deleted = st.toggle("Only deleted tasks", key="deleted", bind="query-params")
        if any(st.session_state.get(key) for key in KEYS):
            st.button("Clear", key="clear_filters", type="tertiary", icon=":material/close:", on_click=clear)
    try:
        return TaskFilter(
            status=[STATUSES[s] for s in statuses if s in STATUSES] or None, type=type_name, queue=queue,
            text=text or None,
            error=(error or "").strip() or None, tag=(tag or "").strip() or None, deleted=bool(deleted),
            created_from=_since(created),
        )  # fmt: skip
    except InvalidInput as refusal:
        st.warning(str(refusal), icon=":material/filter_alt_off:")
        return None


def clear() -> None:
    """Back to all tasks."""
    for key in KEYS:
        st.session_state[key] = [] if key == "status" else False if key == "deleted" else None
    for key in ("text", "error", "tag"):
        st.session_state[key] = ""


def _one_of(key: str, names: list[str], placeholder: str) -> str | None:
    return st.selectbox(
        key.capitalize(), names, index=None, key=key, bind="query-params", placeholder=placeholder,
        label_visibility="collapsed", width=180,
    )  # fmt: skip


def _more_label() -> str:
    n = sum(bool(st.session_state.get(key)) for key in ("error", "tag", "deleted"))
    return f"More ({n})" if n else "More"


def _since(period: str | None) -> datetime | None:
    if period not in SPANS:
        return None
    return (now() - SPANS[period]).replace(second=0, microsecond=0)  # the same filter for a minute
