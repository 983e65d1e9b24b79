"""What stands around every page: navigation, who is signed in, and the answer to a database that is away."""

import streamlit as st
import structlog
from sqlalchemy.exc import DBAPIError

from console import pages
from console.ui import say
from models import db

log = structlog.get_logger(__name__)


def run() -> None:
    """Draw the frame, and the page in it."""
    chosen = st.navigation(pages.navigation())
    try:
        chosen.run()
        with st.sidebar:
            st.caption(f"Times in {say.plain(say.zone().key)}")
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        log.warning("the database is away", error=type(error).__name__)
        away()


def away() -> None:
    """One banner, and a way back."""
    st.error(
        "Nothing can be shown or changed until it answers again. Tasks that run go on.",
        title="The database cannot be reached", icon=":material/cloud_off:",
    )  # fmt: skip
    st.button("Try again", icon=":material/refresh:")
