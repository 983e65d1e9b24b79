"""The migrated schema is the one the models describe, on both databases; several may migrate at once."""

import re

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlmodel import SQLModel

from models import db, migrate
from models.schema import HEAD
from tests.conftest import server_url, use
from tests.forked import Forked

# Alembic cannot compare indexes with an expression, nor a database's own kind of full-text index
NOT_COMPARABLE = ("ix_tasks_line", "ix_tasks_parked", "task_words", "lexemes")


def test_the_head_that_processes_wait_for_is_the_newest_migration():
    assert ScriptDirectory.from_config(migrate.config()).get_current_head() == HEAD


def test_the_migrated_schema_is_that_of_the_models(ledger):
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, SQLModel.metadata)
        inspector = inspect(connection)
        for table in SQLModel.metadata.sorted_tables:
            checks = {c["name"] for c in inspector.get_check_constraints(table.name)}
            wanted = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            assert wanted <= checks, table.name
        names = _index_names(connection, ledger)
    ours = [d for d in differences if not any(name in str(d) for name in NOT_COMPARABLE)]
    assert not ours
    assert {str(i.name) for t in SQLModel.metadata.sorted_tables for i in t.indexes} <= names


def _index_names(connection, ledger: str) -> set[str]:
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'index'"
    query = sqlite if ledger == "sqlite" else "SELECT indexname FROM pg_indexes"
    return set(connection.execute(text(query)).scalars())


DEFINITIONS = {  # what autogenerate does not compare: an index's order and predicate, a check's condition
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'table') AND sql IS NOT NULL",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
        UNION ALL
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace
    """,
}


def definitions(kind: str) -> dict[str, set[str]]:
    """Of each index and table, its terms in the database's own words, whatever order they were said in."""
    with db.engine().connect() as connection:
        rows = connection.execute(text(DEFINITIONS[kind])).all()
    return {name: {term.strip() for term in re.split(r"[(),\n]", sql.replace('"', ""))} for name, sql in rows}


def test_indexes_and_checks_are_those_of_the_models_to_the_letter(ledger, tmp_path, monkeypatch, postgres_server):
    migrated = definitions(ledger)
    url = None
    if ledger == "postgresql":
        with create_engine(postgres_server, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE DATABASE callboard_models"))
        url = server_url(postgres_server, "callboard_models")
    use(monkeypatch, tmp_path / "models", url)
    SQLModel.metadata.create_all(db.engine())
    wanted = definitions(ledger)
    for name, terms in wanted.items():
        assert not terms - migrated[name], name


def test_three_processes_may_migrate_at_once(tmp_path, monkeypatch, postgres_server):
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE callboard_migrations"))
    admin.dispose()
    for url in (None, server_url(postgres_server, "callboard_migrations")):
        use(monkeypatch, tmp_path / "var", url)
        code = "from models import migrate; print(migrate.upgrade())"
        started = [Forked(code, says=tmp_path / f"{db.engine().name}-{n}") for n in range(3)]
        assert [(p.wait(120), p.said().split()[-1]) for p in started] == [(0, HEAD)] * 3
