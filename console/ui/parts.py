"""Parts that pages share."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from console.ui import say
from services.spans import SPANS


def title(text: str) -> None:
    """A page's one heading."""
    st.title(text, anchor=False)


def title_with_span(text: str, default: str) -> str:
    """A title, and beside it the span of time that the page looks at; it is kept in the address."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        title(text)
        return st.segmented_control(
            "Span", list(SPANS), default=default, required=True, key="span", bind="query-params",
            label_visibility="collapsed",
        )  # fmt: skip


def empty(icon: str, sentence: str, hint: str = "", action: Callable[[], Any] | None = None) -> None:
    """What stands where there is nothing to show; `action` draws the one thing to do about it."""
    with st.container(
        border=True, horizontal_alignment="center", vertical_alignment="center", height=180, gap="xsmall"
    ):
        st.markdown(f":gray[:material/{icon}:]", width="content")
        st.markdown(sentence, width="content")
        if hint:
            st.caption(hint, width="content")
        if action is not None:
            action()


def facts(rows: Mapping[str, str | None]) -> None:
    """Names and values in two columns; values are shown as text. What is None is left out."""
    lines = "".join(
        f"<span>{say.markup(name)}</span><span>{say.markup(value)}</span>"
        for name, value in rows.items()
        if value is not None
    )
    st.html(f'<div class="cb-facts"><div>{lines}</div></div>')


def height(many: int, row: int = 30, most: int = 20) -> Any:
    """A grid's height: all of a few rows, a scrolling window on many."""
    return "content" if many <= most else row * (most + 1) + 2
