"""Types to enqueue, and processes to claim with."""

from collections.abc import Iterator

import pytest

from tests.services import kit
from tests.services.crowd import Crowd


@pytest.fixture
def core(ledger: str) -> Iterator[str]:
    """An empty ledger that knows `greet` and `count`; afterwards it must be sound. The value is the database's name."""
    with kit.known(kit.a_type("greet"), kit.a_type("count", queue="numbers", retries=0, timeout_s=30.0)):
        yield ledger
        kit.assert_sound()


@pytest.fixture(scope="session")
def crowd() -> Iterator[Crowd]:
    """Eight processes, started once, that do the same at the same moment."""
    with Crowd(8) as made:
        yield made
