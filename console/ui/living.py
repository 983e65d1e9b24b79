"""Parts of a page that draw themselves again every few seconds, each in a place of its own.

A tick takes back what its part had to say and was not sent yet, and says it anew. What stands beside the part would
arrive before it then, and Streamlit's page breaks where it finds a gap: so nothing stands beside it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st


def every(seconds: float | None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Draw what is decorated again every so many seconds; None: only when something in it is clicked."""

    def alive(draw: Callable[..., None]) -> Callable[..., None]:
        part = st.fragment(run_every=seconds)(draw)

        @wraps(draw)
        def in_its_place(*args: Any, **kwargs: Any) -> None:
            with st.container():
                part(*args, **kwargs)

        return in_its_place

    return alive
