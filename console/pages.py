"""Every page of the console, by name."""

from pathlib import Path
from typing import Any

import streamlit as st

VIEWS = Path(__file__).resolve().parent / "views"


def page(name: str) -> Any:
    """The page of this name, for a link or a switch."""
    title, icon, more = _PAGES[name]
    return st.Page(VIEWS / f"{name}.py", title=title, icon=f":material/{icon}:", url_path=name, **more)


_PAGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "overview": ("Overview", "space_dashboard", {"default": True}),
}


def navigation() -> dict[str, list[Any]]:
    """What stands in the sidebar, by section."""
    return {"": [page("overview")]}
