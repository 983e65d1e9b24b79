"""Alembic's way in: the same migrations for SQLite and PostgreSQL, safe with several processes at once."""

from alembic import context
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import models  # noqa: F401 - fills the metadata
from models.db import engine

LOCK = 0x0CA11B0A  # any number of our own: who holds it may migrate


def migrate(connection: Connection) -> None:
    """Run what is missing in one transaction, alone."""
    on_postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=not on_postgresql,
        transactional_ddl=True,
        compare_type=True,
    )
    with context.begin_transaction():
        if on_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


with engine().connect() as connection:
    migrate(connection)
