"""Connections to PostgreSQL that were cut while nobody used them; and what errors of either database tell."""

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from models import connect, db, reading, transaction
from settings import settings


def number() -> int:
    with reading() as session:
        return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


@pytest.fixture
def cut(ledger: str) -> int:
    """The number of a connection of the pool that the server has closed."""
    pid = number()
    plain = make_url(settings().database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    return pid


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_a_connection_that_was_cut_while_it_rested_is_replaced_unseen(cut, monkeypatch):
    monkeypatch.setattr(connect, "TRUSTED_S", 0.0)
    with transaction() as session:
        assert session.execute(text("SELECT pg_backend_pid()")).scalar_one() != cut


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_one_that_was_cut_a_moment_after_it_worked_costs_one_act(cut, monkeypatch):
    monkeypatch.setattr(connect, "TRUSTED_S", 3600.0)
    monkeypatch.setattr(connect, "STEP_S", 3600.0)
    with pytest.raises(Exception) as failed:
        number()
    assert db.is_away(failed.value)
    assert number() != cut


@pytest.mark.usefixtures("ledger")
def test_an_error_of_the_database_names_its_statement_and_not_the_statements_parameters():
    with pytest.raises(DBAPIError) as failed, transaction() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:payload)"), {"payload": '{"password": "rosebud"}'})
    assert "INSERT INTO nowhere" in str(failed.value)
    assert "rosebud" not in str(failed.value)
