"""The migrated schema is the one the models describe, on both databases; several may migrate at once."""

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlmodel import SQLModel

from models import db, migrate
from models.schema import HEAD
from tests.conftest import server_url, use

# Alembic cannot compare indexes with an expression, nor a database's own kind of full-text index
NOT_COMPARABLE = ("ix_tasks_line", "ix_tasks_parked", "task_words", "lexemes")
ROOT = Path(__file__).resolve().parents[2]


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


def test_three_processes_may_migrate_at_once(tmp_path, monkeypatch, postgres_server):
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE callboard_migrations"))
    admin.dispose()
    for url in (None, server_url(postgres_server, "callboard_migrations")):
        use(monkeypatch, tmp_path / "var", url)
        code = "from models import migrate; print(migrate.upgrade())"
        started = [
            subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        assert [(p.communicate()[0].split()[-1], p.returncode) for p in started] == [(HEAD, 0)] * 3
