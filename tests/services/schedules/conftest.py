"""A clock to turn, and a schedule to fire."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

START = datetime(2026, 11, 22, 6, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock(core: str) -> Iterator[Any]:
    """The ledger, and time that stands still until a test turns it. It is 06:00:30."""
    with time_machine.travel(START, tick=False) as turned:
        yield turned
