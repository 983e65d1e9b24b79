"""Whether this browser lets the console notify on the desktop, and the button that asks it: only a click there may."""

from pathlib import Path

import streamlit as st

STATIC = Path(__file__).resolve().parents[1] / "static"

_mount = st.components.v2.component(
    "callboard_permission",
    html='<p role="status"></p>\n<button type="button">Allow in this browser</button>',
    css=(STATIC / "permission.css").read_text(),
    js=(STATIC / "permission.js").read_text(),
)


def show() -> None:
    """Draw it."""
    _mount(key="permission", height="content")
