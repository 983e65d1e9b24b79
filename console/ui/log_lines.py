"""A task's log: monospaced, coloured by level, every line as text."""

import streamlit as st

from console.ui import say
from models import TaskLog
from services import tasks

LEVELS = {"Everything": None, "Info and worse": "info", "Warnings and errors": "warning", "Errors": "error"}
SHOWN = 500


def show(task_id: int) -> None:
    """Level filter, search, the last lines; new ones are added at each run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        level = LEVELS.get(
            st.selectbox("Level", list(LEVELS), key="log_level", label_visibility="collapsed", width=190)
        )
        words = st.text_input(
            "Find",
            key="log_find",
            placeholder="Find in these lines",
            label_visibility="collapsed",
            type="search",
            width=240,
        )
    lines = _lines(task_id, level)
    shown = [line for line in lines if not words or words.casefold() in line.message.casefold()]
    if not shown:
        st.caption("No such line." if lines else "Nothing has been logged.")
        return
    with st.container(height=min(420, 36 + 20 * len(shown[-SHOWN:])), autoscroll=True, key="log_lines"):
        st.html(
            '<div style="font-family:var(--st-code-font, monospace);font-size:12px;line-height:20px">'
            + "".join(_line(line) for line in shown[-SHOWN:])
            + "</div>"
        )
    if len(shown) > SHOWN:
        st.caption(f"The last {SHOWN:,} of {len(shown):,} lines.")


def _lines(task_id: int, level: str | None) -> list[TaskLog]:
    known = st.session_state.get("_log")
    if known is None or known[0] != (task_id, level):
        known = st.session_state["_log"] = ((task_id, level), [])
    lines: list[TaskLog] = known[1]
    after = (lines[-1].epoch, lines[-1].seq) if lines else (0, -1)
    lines += tasks.logs(task_id, after=after, level=level, limit=10_000)
    del lines[:-10_000]
    return lines


def _line(line: TaskLog) -> str:
    fields = "".join(f" {say.markup(name)}={say.markup(value)}" for name, value in (line.fields or {}).items())
    return (
        '<div style="white-space:pre-wrap;overflow-wrap:anywhere">'
        f'<span style="opacity:.7">{say.at(line.at)}&ensp;{line.level:<7}&ensp;</span>'
        f'<span class="callboard-{line.level}">{say.markup(line.message)}</span>'
        f'<span style="opacity:.7">{fields}</span></div>'
    )
