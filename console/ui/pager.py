"""From page to page, where each page begins at a cursor: which ones, the pages so far know."""

from collections.abc import Callable
from typing import Any

import streamlit as st


def show(
    key: str, cursors: list[Any], following: Any | None, turn: Callable[[list[Any]], None],
    back: str = "Newer", on: str = "Older",
) -> None:  # fmt: skip
    """Two buttons, where there is more than one page. `turn` is their callback; it gets the cursors up to that page."""
    if len(cursors) == 1 and following is None:
        return
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.caption(f"Page {len(cursors)}", width="content")
        st.button(
            back, icon=":material/chevron_left:", key=f"{key}_newer", disabled=len(cursors) == 1, on_click=turn,
            args=(cursors[:-1],),
        )  # fmt: skip
        st.button(
            on, icon=":material/chevron_right:", icon_position="right", key=f"{key}_older", on_click=turn,
            disabled=following is None, args=([*cursors, following],),
        )  # fmt: skip
