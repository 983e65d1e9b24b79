"""How statuses and outcomes look: one table for pills, badges and charts."""

from typing import Any

from models import Outcome, Status

NAMES = {status: status.value.capitalize() for status in Status}
COLOURS = {
    Status.pending: "gray", Status.queued: "violet", Status.running: "blue", Status.completed: "green",
    Status.failed: "red", Status.cancelled: "orange",
}  # fmt: skip
ICONS = {
    Status.pending: "schedule", Status.queued: "hourglass_empty", Status.running: "play_circle",
    Status.completed: "check_circle", Status.failed: "error", Status.cancelled: "cancel",
}  # fmt: skip
OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.completed: ("Completed", "green"), Outcome.failed: ("Failed", "red"),
    Outcome.retried: ("Retried", "orange"), Outcome.cancelled: ("Cancelled", "gray"),
    Outcome.handed_back: ("Handed back", "blue"), Outcome.lost: ("Worker lost", "violet"),
}  # fmt: skip
# For charts, which know no names of colours; readable on light and on dark
HEX = {
    "green": "#2FA05A", "red": "#E0525A", "orange": "#E28A3B", "gray": "#8A91A3",
    "blue": "#4C83EE", "violet": "#8468E0",
}  # fmt: skip


def icon(status: Status) -> str:
    """The status's icon, as Streamlit names it."""
    return f":material/{ICONS[status]}:"


def pill_column(label: str = "Status", **more: Any) -> Any:
    """A grid's column of status pills; its cells are `[NAMES[status]]`."""
    import streamlit as st

    return st.column_config.MultiselectColumn(
        label, options=list(NAMES.values()), color=[COLOURS[status] for status in Status], **more
    )
