"""What stands around every page: navigation, who is signed in, and the answer to a database that is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
import structlog
from sqlalchemy.exc import DBAPIError

from console import pages, who
from console.ui import say, strip
from models import db

log = structlog.get_logger(__name__)


def run() -> None:
    """Draw the frame, and the page in it."""
    try:
        visit = st.session_state["_visit"] = who.visit()
        st.session_state["_time_zone"] = visit.operator.time_zone
        chosen = st.navigation(pages.navigation())
        strip.show()
        with st.sidebar:
            st.html(_FOOT.format(name=say.markup(visit.operator.name), role=visit.operator.role, zone=say.zone().key))
        chosen.run()
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        log.warning("the database is away", error=type(error).__name__)
        away()


@contextmanager
def told_when_away() -> Iterator[None]:
    """For a page's live part: where the database is away, the banner stands in its place, and goes when it answers."""
    try:
        yield
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        away()


def away() -> None:
    """One banner, and a way back."""
    st.error(
        "Nothing can be shown or changed until it answers again. Tasks that run go on.",
        title="The database cannot be reached", icon=":material/cloud_off:",
    )  # fmt: skip
    st.button("Try again", icon=":material/refresh:", key="try_again")


_FOOT = """
<div style="font-size: 0.86rem; line-height: 1.5; opacity: 0.85; padding-top: 0.75rem">
<div><strong style="font-weight: 600">{name}</strong> · {role}</div>
<div>Times in {zone}</div>
<div style="display: flex; gap: 1rem">
<a href="/sign-out" target="_self" style="color: inherit; text-decoration: underline">Sign out</a>
<button type="button" class="callboard-keys">Keyboard</button>
</div>
</div>
"""
