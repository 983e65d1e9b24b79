"""A word about what a click has done, shown by the next drawing: of the page, or of the part of it that was clicked.

Not by the click's callback: in a fragment's rerun its toast would take the place of the page's style sheet, which
Streamlit keeps in the same list.
"""

import streamlit as st

from console.ui import say

KEPT = "_tell"


def later(words: str, good: bool = True) -> None:
    """For callbacks: keep it for the next drawing, which may be of another page."""
    kept = st.session_state.setdefault(KEPT, [])
    if (words, good) not in kept:
        kept.append((words, good))


def show() -> None:
    """Say what was kept: the frame for whole pages, a fragment whose buttons have something to say for itself."""
    for words, good in st.session_state.pop(KEPT, ()):
        icon = ":material/check:" if good else ":material/error:"
        st.toast(say.plain(words) if good else say.sentence(words), icon=icon, duration="short" if good else "long")
