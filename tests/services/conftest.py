"""Types to enqueue, and processes to claim with."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from models import db, migrate
from services import catalog
from tests.conftest import empty, forget, use
from tests.services import kit
from tests.services.crowd import Crowd

SQLITE_FILE = "callboard.sqlite3"


@pytest.fixture(scope="module", autouse=True)
def no_types() -> Iterator[None]:
    """Only what a test here makes known is known: other tests' modules have declared actors of their own."""
    others = catalog.local()
    for name in others:
        catalog.unregister(name)
    yield
    for each in others.values():
        catalog.register(each)


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


@pytest.fixture
def core(ledger: str) -> Iterator[str]:
    """An empty ledger that knows `greet` and `count`; afterwards it must be sound. The value is the database's name."""
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers", retries=0, timeout_s=30.0)):
        yield ledger
        kit.assert_sound()


@pytest.fixture
def no_disk(ledger: str) -> None:
    """Commits do not wait for the disk: for tests of some thousand of them, which try order and not durability."""
    say = "PRAGMA synchronous = OFF" if ledger == "sqlite" else "SET synchronous_commit TO off"

    def unwaiting(connection: Any, _: object) -> None:
        connection.execute(say)
        connection.commit()

    db.engine().dispose()
    event.listen(db.engine(), "connect", unwaiting)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One ledger for all tests of a module that do not change it, with one task and `greet` declared."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with pytest.MonkeyPatch.context() as patch:
        use(patch, tmp_path_factory.mktemp("ledger") / "var", url)
        migrate.upgrade()
        if url is not None:
            empty()
        with kit.known(kit.a_type("greet")):
            kit.greet()
            catalog.declare()
            yield request.param
            kit.assert_sound()
    forget()


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    """Eight processes, started once, that do the same at the same moment."""
    with Crowd(8) as made:
        yield made
