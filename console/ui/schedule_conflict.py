"""What the drawer says when somebody else was faster: what they changed, and the two ways on."""

from datetime import datetime
from typing import Any

import streamlit as st

from console.ui import say
from console.ui.schedule_saving import changed
from models import Schedule
from services import schedules
from services.errors import Conflict, ServiceError
from services.schedules import spec

LABELS = {
    "every": "Interval (s)", "missed": "Missed slots", "missed_window": "Window (s)", "pause_after": "Pause after",
    "keep_runs": "Keep runs", "payload": "Arguments", "start_at": "Not before", "end_at": "Not after",
}  # fmt: skip


def show(opened: Any, refusal: Conflict, said: dict[str, Any]) -> None:
    """Draw it; `opened` is the drawer's state."""
    try:
        theirs = schedules.get(opened.row.id)
    except ServiceError as gone:
        st.error(say.plain(gone), title="Nothing was saved")
        return
    mine = changed(opened.first or {}, said)
    st.warning(say.plain(refusal), title="Somebody else was faster; nothing was saved", icon=":material/group:")
    for name, (was, is_) in differences(opened.row, theirs).items():
        too = " – you changed it, too" if name in mine else ""
        st.text(say.visible(f"{label(name)}: {word(was)} → {word(is_)}{too}"))
    st.caption("Saving yours on top changes only what you have changed here; the rest stays as they left it.")
    with st.container(horizontal=True):
        st.button("Save mine on top", key="schedule_on_top", icon=":material/merge:", on_click=_on_top, args=(opened,))
        st.button(
            "Start again from theirs", key="schedule_theirs", icon=":material/refresh:", on_click=_from_theirs,
            args=(opened,),
        )  # fmt: skip


def differences(was: Schedule, is_: Schedule) -> dict[str, tuple[Any, Any]]:
    """The fields in which two readings of a schedule differ."""
    before, after = spec.plain(spec.of_row(was)), spec.plain(spec.of_row(is_))
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def label(name: str) -> str:
    """A field's name for people."""
    words = LABELS.get(name, name.replace("_", " "))
    return words[:1].upper() + words[1:]


def word(value: Any) -> str:
    """A value in a line of differences."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, str):
        return say.short(value, 120)
    return value.isoformat() if isinstance(value, datetime) else say.short(say.pretty(value, None), 120)


def _on_top(opened: Any) -> None:
    try:
        opened.row = schedules.get(opened.row.id)
    except ServiceError as gone:
        opened.refused = gone
        return
    opened.refused, opened.again = None, True


def _from_theirs(opened: Any) -> None:
    from console.ui import schedule_form

    schedule_form.ask("edit", opened.row.id)
