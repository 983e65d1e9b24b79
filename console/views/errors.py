"""What fails, one line for each kind of failure: how often, since when, and what was decided about it."""

import streamlit as st

from console import figures, pages, reads
from console.ui import bulk_dialog, bulk_strip, error_board, living, outage, parts, tell
from models import GroupState

parts.title("Errors")
st.caption("Failed tasks of one type, error and message (but for its numbers) are one line.")
NAMES = {state.value.capitalize(): state for state in GroupState}
with st.container(horizontal=True, vertical_alignment="center", key="errors_states"):
    # The address holds what the buttons say: with counts in it a link would soon lead nowhere
    chosen = st.segmented_control(
        "State", list(NAMES), key="errors_state", bind="query-params", default="Open", label_visibility="collapsed",
        width="content",
    )  # fmt: skip
    counts = reads.error_states()
    words = ", ".join(f"{counts[state]:,} {state.value}" for state in GroupState)
    st.caption(words, width="content")
state = NAMES[chosen or "Open"]


def _standing_still() -> None:
    """What is shown grows with the scheduler's ticks: without it, it is from before."""
    if not figures.scheduled():
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="errors_still"):
            words = "No scheduler is alive: what has failed since it went is not counted here yet."
            st.markdown(f":orange[:material/warning:] {words}", width="content")
            st.page_link(pages.page("workers"), label="Show", icon=":material/arrow_forward:", query_params={})


@living.every(10)
@outage.told()
def board() -> None:
    """The part that lives."""
    tell.show()
    _standing_still()
    bulk_strip.show()
    error_board.show(state)


board()
bulk_dialog.show_if_asked()
