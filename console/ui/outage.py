"""A database that goes away while a page lives: its fragments say so, and ask again with their next tick."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st
from sqlalchemy.exc import DBAPIError

from models import db


def told(draw: Callable[..., Any]) -> Callable[..., Any]:
    """The same drawing, with one banner in its place while the database is away."""

    @wraps(draw)
    def drawn(*given: Any) -> None:
        try:
            draw(*given)
        except DBAPIError as error:
            if not db.is_away(error):
                raise
            st.error(
                "It is asked for again every few seconds. Tasks that run go on.",
                title="The database cannot be reached", icon=":material/cloud_off:",
            )  # fmt: skip

    return drawn
