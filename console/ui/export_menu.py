"""The way to the export of what matches."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from console import asked
from console.ui import say
from services import export
from services.export import Format

LABELS = {Format.csv: "CSV, for spreadsheets", Format.jsonl: "JSON lines, for programs"}


def show(said: dict[str, Any]) -> None:
    """A popover with a link for each format; the links ask for what the filters say."""
    with st.popover("Export", icon=":material/download:", key="export"):
        query = urlencode(asked.address(said))
        links = "".join(
            f'<a href="/api/tasks.{kind}{f"?{say.markup(query)}" if query else ""}" target="_self" download'
            f' style="display:block;padding:.25rem 0;font-weight:600;color:inherit">{label}</a>'
            for kind, label in LABELS.items()
        )
        st.html(links)
        st.caption(
            f"All that match, on every page: the newest {export.MOST:,} at most. Times are UTC. "
            "In CSV, text that a spreadsheet would take for a formula begins with an apostrophe."
        )
