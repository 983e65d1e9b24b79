"""The way back to where a task was asked for: a page of this console, with what its address held and the task."""

from typing import NoReturn
from urllib.parse import parse_qs, urlsplit

import streamlit as st

from console import pages


def leads_to(path: str) -> str | None:
    """The name of the page that a local path means; None where it is none of ours."""
    name = urlsplit(path).path.strip("/")
    return name if name in pages.names() else "overview" if not name else None


def go(path: str, task_id: int) -> NoReturn:
    """Go there; the address tells the page which task it is about."""
    params = {name: values[-1] for name, values in parse_qs(urlsplit(path).query).items()}
    st.switch_page(pages.page(leads_to(path) or "task"), query_params={**params, "task": str(task_id)})
