"""Insert, or else: the two forms both databases share."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from models.db import is_postgresql


def insert_missing(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    session.execute(_insert(table).values(list(rows)).on_conflict_do_nothing())


def upsert(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, or bring those with the same primary key up to date."""
    keys = [column.name for column in inspect(table).primary_key]
    making = _insert(table).values(list(rows))
    changed = {name: making.excluded[name] for name in rows[0] if name not in keys}
    session.execute(making.on_conflict_do_update(index_elements=keys, set_=changed))


def _insert(table: type[SQLModel]) -> Any:
    return (postgresql.insert if is_postgresql() else sqlite.insert)(table)
