"""What tests of all floors share."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
THOROUGH = os.environ.get("THOROUGH") == "yes"


def examples(many: int) -> int:
    """How many examples a property is tried on: all of them in `make test-all`, a fifth in `make test`."""
    return many if THOROUGH else max(5, many // 5)


def wait_until(
    condition: Callable[[], T], timeout: float = 10.0, every: float = 0.02, what: str = "the condition"
) -> T:
    """Return the condition's first true value; fail with a sentence after `timeout` seconds without one."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true within {timeout:g} s"
        time.sleep(every)
    return value
