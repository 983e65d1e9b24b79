"""Bare Dramatiq on Redis as its documentation sets it up, no results: the peer that remembers nothing."""

import os
import time
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))
_started = False


@dramatiq.actor
def noop() -> None:
    """Nothing; the first one in each process notes the time."""
    global _started
    if not _started:
        _started = True
        Path(os.environ["STARTED_DIR"], f"{os.getpid()}").write_text(repr(time.time()))


@dramatiq.actor
def note() -> None:
    """Write down when the body began."""
    at = time.time()
    with Path(os.environ["NOTE"]).open("a") as file:
        file.write(f"{at!r}\n")
