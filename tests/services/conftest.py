"""Types to enqueue, and processes to claim with."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from models import db, migrate
from services import bell, catalog
from tests.conftest import empty, forget, use
from tests.services import kit
from tests.services.crowd import Crowd


@pytest.fixture(scope="module", autouse=True)
def only_types_of_its_own(no_types: None) -> None:
    """A module here knows what it makes known."""


@pytest.fixture
def core(ledger: str) -> Iterator[str]:
    """An empty ledger that knows `greet` and `count`; afterwards it must be sound. The value is the database's name."""
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers", retries=0, timeout_s=30.0)):
        yield ledger
        kit.assert_sound()


@pytest.fixture
def rings() -> Iterator[list[str]]:
    """What the bell says in this process."""
    heard: list[str] = []
    bell.listen_here(heard.append)
    yield heard
    bell.unlisten_here(heard.append)


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
