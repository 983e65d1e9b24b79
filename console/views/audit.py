"""Who did what to which thing."""

import zlib
from datetime import UTC
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from console import who
from console.ui import event_words, parts, readable, say
from models import Event
from services import history
from services.errors import ServiceError

SIZE = 100
ENTITIES = (
    "task",
    "queue",
    "worker",
    "operator",
    "artifact",
    "key",
    "schedule",
    "session",
    "events",
    "tasks",
    "bulk",
    "view",
    "error",
)

parts.title("Audit")
with st.container(horizontal=True, vertical_alignment="center", key="audit_words"):
    entity = st.selectbox(
        "Thing", ENTITIES, index=None, key="audit_thing", bind="query-params", placeholder="Any thing",
        label_visibility="collapsed", width=150,
    )  # fmt: skip
    number = st.text_input(
        "Which", key="audit_which", bind="query-params", placeholder="Which one", label_visibility="collapsed",
        width=150, max_chars=100, disabled=entity is None,
    )  # fmt: skip
    person = st.text_input(
        "By", key="audit_by", bind="query-params", placeholder="By whom", label_visibility="collapsed", width=150,
        max_chars=100,
    )  # fmt: skip
    verb = st.text_input(
        "Did", key="audit_did", bind="query-params", placeholder="Did what (pause, cancel, …)",
        label_visibility="collapsed", width=210, max_chars=40,
    )  # fmt: skip
    export = st.container(width="content")
words = {"which": number if entity else None, "by": person, "did": verb}
asked = {"thing": entity, **{name: (said or "").strip() or None for name, said in words.items()}}
if st.session_state.get("_audit_asked") != asked:
    st.session_state["_audit_asked"], st.session_state["_audit_cursors"] = asked, [None]
cursors: list[int | None] = st.session_state["_audit_cursors"]


def turn(to: list[int | None]) -> None:
    """Another page."""
    st.session_state["_audit_cursors"] = to


def row(event: Event) -> dict[str, object]:
    """One event as a line; states as `name: before → after`."""
    return {
        "When": say.at(event.at), "Who": event_words.who(event), "Did": event.verb.replace("_", " "),
        "To": event_words.what(event), "Change": event_words.change(event),
        "Reason": say.visible(event.reason or "") or None, "From": event.ip,
        "UTC": f"{event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip


def detail(event: Event) -> None:
    """All of one event: who, from where, and what was before and after."""
    with st.container(border=True, key="audit_detail"):
        parts.facts(
            {
                "When": f"{say.at(event.at)} ({event.at.astimezone(UTC).isoformat(timespec='seconds')})",
                "Who": event_words.who(event), "Did": f"{event.verb.replace('_', ' ')} {event_words.what(event)}",
                "Number": event.entity_id,
                "Reason": event.reason, "From": event.ip, "With": event.user_agent, "Request": event.request_id,
            }
        )  # fmt: skip
        left, right = st.columns(2)
        for column, name, value in ((left, "Before", event.before), (right, "After", event.after)):
            with column:
                st.markdown(f"**{name}**")
                readable.show(value)


try:
    with who.acting():
        found = history.events(
            entity=asked["thing"], entity_id=asked["which"], actor=asked["by"], verb=asked["did"], before=cursors[-1],
            limit=SIZE,
        )  # fmt: skip
except ServiceError as refusal:
    st.warning(say.sentence(refusal), icon=":material/lock:")
    st.stop()
if not found:
    parts.empty("history", "Nothing has been done that fits.")
    st.stop()
query = urlencode({name: value for name, value in asked.items() if value})
export.html(f'<a class="cb-button" href="/api/audit.csv?{say.markup(query)}" download>Export as CSV</a>')
event = st.dataframe(
    pd.DataFrame([row(event) for event in found]), hide_index=True, row_height=30, placeholder="–", alt="Audit trail",
    height=parts.height(len(found)), key=f"audit_grid{zlib.crc32(repr([e.id for e in found]).encode())}",
    on_select="rerun", selection_mode="single-row",
    column_config={
        "When": st.column_config.TextColumn(width=125), "Who": st.column_config.TextColumn(width=130),
        "Did": st.column_config.TextColumn(width=115), "To": st.column_config.TextColumn(width=115),
        "Change": st.column_config.TextColumn(width=230), "Reason": st.column_config.TextColumn(width=200),
        "From": st.column_config.TextColumn(width=90), "UTC": st.column_config.TextColumn(width=140),
    },
)  # fmt: skip
at = next(iter(event.selection.rows), None)
if at is not None and at < len(found):
    detail(found[at])
else:
    st.caption("Tick a line to see all of it.")
if len(found) == SIZE or len(cursors) > 1:
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            "Newer", key="audit_newer", disabled=len(cursors) == 1, on_click=turn, args=(cursors[:-1] or [None],)
        )  # fmt: skip
        st.button(
            "Older", key="audit_older", disabled=len(found) < SIZE, on_click=turn, args=([*cursors, found[-1].id],)
        )  # fmt: skip
