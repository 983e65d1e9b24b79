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
