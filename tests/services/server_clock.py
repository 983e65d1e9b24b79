"""The clock of the database's server alone, set while others work: a function of ours stands before PostgreSQL's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import make_url, text

from models import db
from settings import settings

BEGIN = [
    "CREATE SCHEMA odd_clock",
    "CREATE TABLE odd_clock.ahead AS SELECT interval '0' AS by",
    "CREATE FUNCTION odd_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
    "'SELECT pg_catalog.clock_timestamp() + by FROM odd_clock.ahead'",
    "ALTER DATABASE {database} SET search_path = odd_clock, pg_catalog, public",
]
END = ["ALTER DATABASE {database} RESET search_path", "DROP SCHEMA odd_clock CASCADE"]


@contextmanager
def settable() -> Iterator[Callable[[timedelta], None]]:
    """Sets it so far from the true time, for all processes that connect from now on."""
    _say(BEGIN)
    try:
        yield _set
    finally:
        _say(END)


def _set(ahead: timedelta) -> None:
    with db.engine().begin() as connection:
        connection.execute(text("UPDATE odd_clock.ahead SET by = :by"), {"by": ahead})


def _say(statements: list[str]) -> None:
    database = make_url(settings().database).database
    with db.engine().begin() as connection:
        for statement in statements:
            connection.execute(text(statement.format(database=database)))
    db.engine().dispose()  # what is connected goes on with the old path
