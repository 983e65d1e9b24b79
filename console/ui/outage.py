"""What stands where the database is away: one banner, which goes when it answers."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
import structlog
from sqlalchemy.exc import DBAPIError

from models import db

log = structlog.get_logger(__name__)


@contextmanager
def told() -> Iterator[None]:
    """For a page's live part, as a decorator or around it: the banner in its place, until a later tick."""
    try:
        yield
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        banner("It is asked for again every few seconds. Tasks that run go on.")


@contextmanager
def ends_the_page() -> Iterator[None]:
    """For a whole page: the banner instead of what is left of it, and a way back."""
    try:
        yield
    except DBAPIError as error:
        if not db.is_away(error):
            raise
        log.warning("the database is away", error=type(error).__name__)
        away()


def away() -> None:
    """The banner, and a way back."""
    banner("Nothing can be shown or changed until it answers again. Tasks that run go on.")
    st.button("Try again", icon=":material/refresh:", key="try_again")


def banner(what_now: str) -> None:
    """The same words everywhere."""
    st.error(what_now, title="The database cannot be reached", icon=":material/cloud_off:")
