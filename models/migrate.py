"""Bring the database to the schema of this code; say how far it is."""

import os
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from models.db import engine
from settings import ROOT, settings


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def upgrade() -> str:
    """Apply what is missing; several processes may try at once. Returns the revision reached."""
    url = make_url(settings().database)
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).resolve().parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = os.umask(0o077)
        try:
            command.upgrade(_config(), "head")
        finally:
            os.umask(old)
    else:
        command.upgrade(_config(), "head")
    return newest()


def newest() -> str:
    """The revision this code was written for."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def current() -> str | None:
    """The revision the database is at; None before the first."""
    with engine().connect().execution_options(readonly=True) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def knows(revision: str | None) -> bool:
    """Whether this code has heard of the database's revision; a newer release's is unknown to it."""
    return revision is None or any(
        s.revision == revision for s in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def wait_until_current(timeout_s: float | None = None, every_s: float = 0.5) -> bool:
    """Wait for somebody to migrate, as processes do that start beside the release step. False when time ran out."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    while True:
        revision = current()
        if revision == newest() or not knows(revision):  # a newer schema: the floor decides, not we
            return True
        if deadline is not None and time.monotonic() > deadline:
            return False
        time.sleep(every_s)
