"""A word about what a click has done, shown by the next drawing.

Not by the click's callback: in a fragment's rerun its toast would take the place of the page's style sheet, which
Streamlit keeps in the same list.
"""

import streamlit as st

from console.ui import say

KEPT = "_tell"


def later(words: str, good: bool = True) -> None:
    """For callbacks: keep it for the next drawing."""
    st.session_state[KEPT] = (words, good)


def show() -> None:
    """In a page's body: say what was kept."""
    kept = st.session_state.pop(KEPT, None)
    if kept is not None:
        words, good = kept
        icon = ":material/check:" if good else ":material/error:"
        st.toast(say.plain(words), icon=icon, duration="short" if good else "long")
