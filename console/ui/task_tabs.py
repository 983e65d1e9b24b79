"""The tabs of a task's page."""

import streamlit as st

from console import pages, reads
from console.ui import event_words, graph, look, parts, preview, readable, rows, say
from models import Artifact, Attempt, Task
from services import artifacts, history, previews
from services import graph as graphs

MOST_TRACEBACK = 20_000
_OFFICE = "application/vnd.openxmlformats-officedocument"
KINDS = {
    "application/pdf": "PDF", "application/json": "JSON", "application/zip": "ZIP archive", "text/csv": "CSV table",
    "text/plain": "text", "image/png": "PNG picture", "image/jpeg": "JPEG picture",
    f"{_OFFICE}.presentationml.presentation": "PowerPoint slides", f"{_OFFICE}.spreadsheetml.sheet": "Excel table",
    f"{_OFFICE}.wordprocessingml.document": "Word document", "application/vnd.apache.parquet": "Parquet table",
}  # fmt: skip


def attempts(task: Task) -> None:
    """How each attempt ended, the latest first."""
    found = history.attempts(task.id or 0)
    if not found:
        parts.empty("hourglass_empty", "No attempt has ended yet.")
    for attempt in found:
        _attempt(attempt)


def _attempt(attempt: Attempt) -> None:
    label, colour = look.OUTCOMES[attempt.outcome]
    lasted = (attempt.ended_at - attempt.started_at).total_seconds() if attempt.started_at else None
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**Attempt {attempt.epoch}**", width="content")
            st.badge(label, color=colour)  # type: ignore[arg-type]
            began = say.at(attempt.started_at or attempt.ended_at)
            st.caption(f"{began} · {say.duration(lasted)} · {say.plain(attempt.worker)}", width="content")
        if attempt.error_text or attempt.error_class:
            st.text(say.visible(f"{attempt.error_class}: {attempt.error_text}"))
        if attempt.forced:
            st.caption("Stopped against its will.")
        if attempt.traceback:
            with st.expander("Traceback", key=f"traceback{attempt.epoch}"):
                shown = say.visible(attempt.traceback[-MOST_TRACEBACK:])
                st.code(shown, language="python", height=360 if shown.count("\n") > 16 else "content")


def arguments(task: Task) -> None:
    """What it was given."""
    payload = task.body.payload
    if payload:
        readable.show(payload)
    else:
        st.caption("It takes no arguments.")
    with st.expander("As Python", key="as_python"):
        st.code(say.visible(say.python(task.type, payload)), language="python")
    with st.expander("As JSON", key="payload_json"):
        st.code(say.visible(say.pretty(payload)), language="json", height=300)


def result(task: Task) -> None:
    """What it returned."""
    value = task.result
    if value is None:
        parts.empty(
            "output",
            "It returned nothing." if task.finished else "There is no result before it has completed.",
        )
        return
    readable.show(value)
    with st.expander("As JSON", key="result_json"):
        st.code(say.visible(say.pretty(value)), language="json", height=360)


def files(task: Task) -> None:
    """What it stored, for download."""
    found = artifacts.of_task(task.id or 0)
    if not found:
        parts.empty("draft", "It has stored no file.")
    for one in found:
        with st.container(border=True, key=f"file_{one.id}"):
            file(one)
            if previews.worth_a_look(one) and st.toggle("Preview", key=f"preview_{one.id}", value=len(found) == 1):
                preview.show(one)


def file(one: Artifact) -> None:
    """A stored file as a line with its download."""
    link = "font-weight:600;color:inherit;text-decoration:underline"
    st.html(
        '<div style="display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;overflow-wrap:anywhere">'
        f'<a href="{one.url}" target="_self" download style="{link}">{say.markup(one.name)}</a>'
        f'<span style="opacity:.7" title="{say.markup(one.media_type)}">{say.size(one.size)} · {say.markup(_kind(one))}'
        f" · file {one.id}</span></div>"
    )


def _kind(one: Artifact) -> str:
    return KINDS.get(one.media_type.partition(";")[0], one.media_type)


def related(task: Task) -> None:
    """What it needs, what needs it, what it made."""
    kin = history.kin(task)
    if kin.needs or kin.needed_by:
        whole = graphs.around(task.id or 0)
        st.markdown("**What needs what**")
        graph.show(whole, task.id or 0)
        if whole.more:
            st.caption(f"The {len(whole)} nearest; there are more.")
    for heading, found in (
        ("Needs", kin.needs), ("Needed by", kin.needed_by), ("Made by it", kin.made), ("Run again as", kin.reruns)
    ):  # fmt: skip
        if found:
            st.markdown(f"**{heading}**")
            _links(heading, found)
    others = [("Made by", task.parent_id), ("Run again from", task.rerun_of)]
    for heading, task_id in others:
        if task_id is not None:
            st.markdown(f"**{heading}**")
            st.page_link(pages.page("task"), label=f"Task #{task_id}", query_params={"id": str(task_id)})
    if not any((kin.needs, kin.needed_by, kin.made, kin.reruns, task.parent_id, task.rerun_of)):
        parts.empty("account_tree", "No other task has to do with this one.")


def _links(name: str, found: list[Task]) -> None:
    ids = [task.id or 0 for task in found]
    key = f"related_{name}"
    opener = st.column_config.ButtonColumn(
        "Task", width=75, type="tertiary", key=key, on_click=_open, args=(key, ids), alignment="left"
    )
    shown = ["Task", "Status", "Type", "Title", "Now", "Progress"]
    st.dataframe(
        rows.frame(found, reads.reasons(found, say.zone())), column_config=rows.columns(Task=opener), hide_index=True,
        row_height=30, column_order=shown, placeholder="–", height=parts.height(len(found), most=10), alt=name,
    )  # fmt: skip


def _open(key: str, ids: list[int]) -> None:
    clicked = st.session_state.get(key)
    if clicked is not None and 0 <= clicked["row"] < len(ids):
        pages.open_task(ids[clicked["row"]])


def events(task: Task) -> None:
    """Who did what to it, and why."""
    found = history.events(entity="task", entity_id=task.id)
    if not found:
        parts.empty("history", "Nobody has touched it.")
    for event in found:
        st.text(event_words.sentence(event))
