"""What tests of all floors share."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, TypeVar

import pytest

from models import connect, db

T = TypeVar("T")
THOROUGH = os.environ.get("THOROUGH") == "yes"


# For tests of what is drawn or passed on, where the services below are tried on both: both only in `make test-all`
ONE = ["sqlite", "postgresql"] if THOROUGH else ["sqlite"]
one_ledger = pytest.mark.parametrize("ledger", ONE, indirect=True)


def examples(many: int, share: int = 5) -> int:
    """How many examples a property is tried on: all of them in `make test-all`, one in `share` in `make test`."""
    return many if THOROUGH else max(5, many // share)


def wait_until(
    condition: Callable[[], T], timeout: float = 30.0, every: float = 0.02, what: str = "the condition"
) -> T:
    """Return the condition's first true value; fail with a sentence after `timeout` seconds without one."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come true within {timeout:g} s"
        time.sleep(every)
    return value


def freeze(process: "subprocess.Popen[bytes]") -> None:
    """SIGSTOP it, but not where it holds SQLite's only write lock: everybody would wait for it."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if db.is_postgresql() or _may_write():
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)


def _may_write(patience_s: float = 0.5) -> bool:
    path = db.engine().url.database
    with (
        closing(connect.sqlite_module().connect(path, timeout=patience_s)) as ledger,
        Path(f"{path}-turn").open("ab") as turn,
        Path(f"{path}-turn-first").open("ab") as first,
    ):
        try:
            ledger.execute("BEGIN IMMEDIATE")
            ledger.rollback()
            wait_until(lambda: _has(turn) and _has(first), timeout=patience_s, what="the turn")
        except (connect.sqlite_module().OperationalError, AssertionError):
            return False
        return True


def _has(turn: IO[bytes]) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
