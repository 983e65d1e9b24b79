"""A release beside the one before or after it: what waits for whom, and a migration that is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, inspect, text

from models import Move, Status, db, migrate, transaction
from models.schema import HEAD
from runtime import doctor, health, release
from services import tasks, workers
from services.lifecycle import rescue
from settings import ROOT
from tests.conftest import server_url, use
from tests.services import kit
from tests.support import wait_until

NEWER = "9999"
ADDED = [
    "ALTER TABLE tasks ADD COLUMN mood VARCHAR(20)",
    "CREATE INDEX ix_tasks_mood ON tasks (mood)",
    "CREATE TABLE moods (name VARCHAR(20) PRIMARY KEY)",
    f"UPDATE alembic_version SET version_num = '{NEWER}'",
]
TAKEN_AWAY = [
    "DROP TABLE moods",
    "DROP INDEX ix_tasks_mood",
    "ALTER TABLE tasks DROP COLUMN mood",
    f"UPDATE alembic_version SET version_num = '{HEAD}'",
    "UPDATE schema_floor SET floor = 1",
]


@pytest.fixture
def newer_schema(core: str) -> Iterator[str]:
    """The ledger after a migration of the next release, which only adds."""
    run(ADDED)
    yield core
    run(TAKEN_AWAY)


def run(statements: list[str]) -> None:
    with db.engine().begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_this_code_goes_on_beside_a_newer_schema_that_only_adds(newer_schema):
    assert migrate.wait_until_current(timeout_s=0)
    name = workers.register()
    broken, cancelled, lost = kit.greet(), kit.greet(), kit.greet(unique_key="u")
    child = kit.greet(needs=[broken])
    tasks.cancel(cancelled.id)
    first, _ = kit.take(5, name)
    kit.finish(first, Move.fail)
    tasks.rerun(broken.id, dependents=True)
    assert workers.beat(name) is not None
    assert rescue.bury(name, None, "it died") == 1
    assert kit.run_all() == 3
    assert kit.status(broken, cancelled, lost, child) == [
        Status.completed, Status.cancelled, Status.completed, Status.completed,
    ]  # fmt: skip


def test_a_release_step_of_the_release_before_leaves_a_newer_schema_alone(newer_schema, capsys):
    assert release.main() == os.EX_OK
    assert migrate.current() == NEWER
    workers.register()
    workers.register("scheduler")
    assert health.main() == 0
    run(["UPDATE schema_floor SET floor = 99"])
    assert health.main() == 1
    assert doctor.main([]) == 2
    said = capsys.readouterr()
    assert f"newer than this code's {HEAD}" in said.out
    assert "must not be used with it any more" in " ".join(said.out.split())
    assert "use the newer release" in said.err


def test_code_that_is_newer_than_its_database_says_so_and_waits(core, capfd):
    run(["UPDATE alembic_version SET version_num = '0001'"])
    try:
        assert not migrate.wait_until_current(timeout_s=0.1, every_s=0.05)
        said = "".join(capfd.readouterr())
        assert f"the database is at revision 0001, this code needs {HEAD}: waiting for `make migrate`" in said
    finally:
        run([f"UPDATE alembic_version SET version_num = '{HEAD}'"])
    assert migrate.wait_until_current(timeout_s=0)


KILLED = """
import os, signal
from sqlalchemy import Engine, event
from models import migrate

seen = 0

def step(connection, cursor, statement, *_):
    global seen
    seen += statement.lstrip().startswith(("CREATE", "ALTER", "INSERT", "UPDATE"))
    if seen == {n}:
        os.kill(os.getpid(), signal.SIGKILL)

def before_commit(connection):
    os.kill(os.getpid(), signal.SIGKILL)

if {n}:
    event.listen(Engine, "before_cursor_execute", step)
else:
    event.listen(Engine, "commit", before_commit)
migrate.upgrade()
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_that_is_killed_has_done_nothing_and_the_next_does_it(kind, tmp_path, monkeypatch, request):
    url = None
    if kind == "postgresql":
        server = request.getfixturevalue("postgres_server")
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE DATABASE callboard_killed"))
        url = server_url(server, "callboard_killed")
    use(monkeypatch, tmp_path / "var", url)
    for n in (40, 0):  # in the middle, and before the commit
        killed = subprocess.run([sys.executable, "-c", KILLED.format(n=n)], cwd=ROOT, check=False, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        wait_until(lambda: not there(), what="the server to notice")
    assert migrate.current() is None
    assert migrate.upgrade() == HEAD
    assert migrate.current() == HEAD
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM tasks")).scalar() == 0


def there() -> set[str]:
    with db.engine().connect() as connection:
        return {name for name in inspect(connection).get_table_names() if name in ("tasks", "alembic_version")}
