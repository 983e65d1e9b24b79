"""What fails, one line for each kind of failure."""

import pandas as pd
import streamlit as st

from console import pages, reads
from console.ui import parts, say

parts.title("Errors")
st.caption("Failed tasks of one type, error and message (but for its numbers) are one line.")


def look(click: str, fingerprints: list[str]) -> None:
    """Go to the tasks of a line."""
    clicked = st.session_state.get(click)
    if clicked is not None and 0 <= clicked["row"] < len(fingerprints):
        st.switch_page(pages.page("tasks"), query_params={"error": fingerprints[clicked["row"]], "status": "Failed"})


@st.fragment(run_every=10)
def board() -> None:
    """The part that lives."""
    found = reads.failures()
    if not found:
        parts.empty("check_circle", "Nothing has failed.")
        return
    frame = pd.DataFrame(
        [
            {
                "Tasks": f"{one.count:,}", "Type": say.visible(one.type), "Error": say.visible(one.error_class or ""),
                "Last message": say.visible(say.short(message or "", 300)), "First": say.at(first),
                "Last": say.ago(last),
            }
            for one, message, first, last in found
        ]
    )  # fmt: skip
    prints = [one.fingerprint for one, *_ in found]
    column, click = st.column_config, "errors_open"
    st.dataframe(
        frame, hide_index=True, row_height=32, height=parts.height(len(frame)), alt="Failures by kind",
        column_config={
            "Tasks": column.ButtonColumn(width=80, key=click, type="tertiary", on_click=look, args=(click, prints)),
            "Type": column.TextColumn(width=160), "Error": column.TextColumn(width=170),
            "Last message": column.TextColumn(width=480),
        },
    )  # fmt: skip


board()
