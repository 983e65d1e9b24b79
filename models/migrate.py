"""Bring the database to the schema of this code; say how far it is."""

import time
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from models.base import keep_step
from models.db import is_away, is_postgresql, reading
from models.schema import HEAD
from settings import ROOT

log = structlog.get_logger(__name__)


def config() -> Any:
    """Alembic's configuration. Alembic is loaded by whoever migrates, not by every worker."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    return made


def upgrade() -> str:
    """Apply what is missing; several processes may try at once. Returns the revision reached.

    That is a newer one where a newer release was here: there is nothing to do then.
    """
    from alembic import command

    if (reached := current()) is not None and reached > HEAD:
        return reached
    command.upgrade(config(), "head")
    return HEAD


def current() -> str | None:
    """The revision the database is at; None before the first."""
    with reading() as session:
        try:
            return session.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except DatabaseError as error:
            if is_away(error) and "no such table" not in str(error):
                raise
            return None


def wait_until_current(timeout_s: float | None = None, every_s: float = 0.5) -> bool:
    """Wait for somebody to migrate, as processes do that start beside the release step. False when time ran out."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    said = ""
    while True:
        try:
            revision = current()
            state = f"the database is at revision {revision}, this code needs {HEAD}: waiting for `make migrate`"
        except DatabaseError as error:
            revision, state = None, f"the database cannot be reached: {first_line(error)}; waiting for it"
        if revision is not None and revision >= HEAD:  # a newer schema: the floor decides, not we
            _follow_clock()
            return True
        if deadline is not None and time.monotonic() > deadline:
            return False
        if state != said:
            said = state
            log.warning(state)
        time.sleep(every_s)


def _follow_clock() -> None:
    """Before anything is done by the clock: this machine's may be wrong."""
    if is_postgresql():
        with reading() as session:
            keep_step(session)


def first_line(error: DatabaseError) -> str:
    """What the database's driver says, without the statement and its values."""
    return str(error.orig).partition("\n")[0]
