"""JSON for people: plain values as a list, objects of one shape as a table, sentences as lines; all of it as text."""

import math
from typing import Any

import pandas as pd
import streamlit as st

from console.ui import parts, say

MOST_ROWS = 1_000
DEEPEST = 2


def show(value: Any, depth: int = 0) -> None:
    """Draw a value."""
    if isinstance(value, dict) and value:
        _object(value, depth)
    elif _is_table(value):
        frame = pd.DataFrame([{_label(n): _cell(v) for n, v in row.items()} for row in value[:MOST_ROWS]])
        st.dataframe(
            frame,
            hide_index=True,
            row_height=28,
            placeholder="–",
            height=parts.height(len(frame), 28, most=14),
        )
        if len(value) > MOST_ROWS:
            st.caption(f"The first {MOST_ROWS:,} of {len(value):,}.")
    elif isinstance(value, list) and value and all(not isinstance(v, dict | list) for v in value):
        for line in value[:200]:
            st.text(f"– {say.visible(str(line))}")
    elif isinstance(value, dict | list) and value:
        st.code(say.pretty(value), language="json", height=300)
    else:
        st.text(word(value))


def _object(value: dict[str, Any], depth: int) -> None:
    flat = {_label(n): word(v) for n, v in value.items() if not isinstance(v, dict | list) or not v}
    if flat:
        parts.facts(flat)
    for name, inner in value.items():
        if isinstance(inner, dict | list) and inner:
            if depth >= DEEPEST:
                st.caption(say.plain(_label(name)))
                st.code(say.pretty(inner), language="json", height=200)
            else:
                with st.container(gap="xsmall"):
                    st.markdown(f"**{say.plain(_label(name))}**")
                    show(inner, depth + 1)


def word(value: Any) -> str:
    """One plain value in words."""
    if value is None or value == [] or value == {}:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return f"{int(value):,}"
        return f"{value:,.4g}" if math.isfinite(value) and abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, list) and all(not isinstance(one, dict | list) for one in value):
        return ", ".join(map(word, value))
    return say.visible(say.pretty(value, None) if isinstance(value, dict | list) else str(value))


def _label(name: Any) -> str:
    text = say.visible(str(name)).replace("_", " ").strip()
    return text[:1].upper() + text[1:] if text else "(no name)"


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        return say.visible(say.pretty(value, None))
    return say.visible(value) if isinstance(value, str) else value


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value[:MOST_ROWS])
