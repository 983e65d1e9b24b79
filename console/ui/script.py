"""Components of our own: markup, style and script from `static/`, which are served by the console itself."""

from pathlib import Path
from typing import Any

import streamlit as st

STATIC = Path(__file__).resolve().parents[1] / "static"


def component(name: str, html: str | None = None) -> Any:
    """What mounts `static/NAME.js` and `static/NAME.css` over this markup, else over `static/NAME.html`."""
    markup = html if html is not None else (STATIC / f"{name}.html").read_text()
    style, code = ((STATIC / f"{name}.{kind}").read_text() for kind in ("css", "js"))
    return st.components.v2.component(f"callboard_{name}", html=markup, css=style, js=code)
