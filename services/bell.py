"""The bell: "there is something on queue q", "look at your cancellations". It carries no work and may be lost.

Rung after commit from a background thread, with short limits and a circuit breaker, so that no caller ever waits for
Redis. Workers that hear nothing look by themselves every second.
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from models.db import after_commit
from settings import settings

CHANNEL = "callboard:bell"
CANCEL = "!cancel"
LIMIT_S = 0.1
BREAK_S = 5.0  # after a failure nobody tries again for so long
REST_S = 0.005  # after a ring: what is rung meanwhile goes out together, or each task of a burst would wake all workers

log = structlog.get_logger(__name__)

_heard_here: list[Callable[[str], None]] = []
_waiting: set[str] = set()
_due = threading.Condition()
_ringer: threading.Thread | None = None
_broken_until = 0.0
_told = False  # that it is away


def ring_after_commit(queue: str) -> None:
    """Tell the workers, once the open transaction is committed, that something is ready on this queue."""
    after_commit(lambda: ring([queue]))


def ring_cancel_after_commit() -> None:
    """Tell the workers, once the open transaction is committed, to look at their cancellations."""
    after_commit(lambda: ring([CANCEL]))


def ring(words: Iterable[str]) -> None:
    """Ring now: at once for listeners in this process, soon for all others. Never waits, never fails."""
    global _ringer
    words = set(words)
    for hear in _heard_here:
        for word in words:
            hear(word)
    with _due:
        _waiting.update(words)
        if _ringer is None or not _ringer.is_alive():
            _ringer = threading.Thread(target=_ring_for_others, name="bell", daemon=True)
            _ringer.start()
        _due.notify()


def listen_here(hear: Callable[[str], None]) -> None:
    """Be told of rings by this very process, without Redis."""
    _heard_here.append(hear)


def unlisten_here(hear: Callable[[str], None]) -> None:
    """No longer be told."""
    if hear in _heard_here:
        _heard_here.remove(hear)


def connect(**options: Any) -> Any:
    """A client of the bell's server. Raises redis' errors when used while it is away."""
    import redis

    return redis.Redis.from_url(settings().bell_url, socket_connect_timeout=LIMIT_S, **options)


def is_heard() -> bool:
    """Whether the bell's server answers."""
    import redis

    try:
        return bool(connect(socket_timeout=LIMIT_S, retry=None).ping())
    except (redis.RedisError, OSError):
        return False


def flush(timeout_s: float = 1.0) -> bool:
    """Wait until everything that was rung has gone out, as a process should before it exits."""
    deadline = time.monotonic() + timeout_s
    with _due:
        return _due.wait_for(lambda: not _waiting, max(0.0, deadline - time.monotonic()))


def _ring_for_others() -> None:
    global _broken_until
    import redis

    client = None
    while True:
        with _due:
            _due.wait_for(lambda: bool(_waiting))
            words = set(_waiting)
        if time.monotonic() >= _broken_until:
            try:
                client = client or connect(socket_timeout=LIMIT_S, retry=None)
                for word in words:
                    client.publish(CHANNEL, word)
                _say("the bell is back", False)
            except (redis.RedisError, OSError) as error:
                client = None
                _broken_until = time.monotonic() + BREAK_S
                _say("the bell is away; workers look by themselves", True, error=type(error).__name__)
        with _due:
            _waiting.difference_update(words)
            _due.notify_all()
        time.sleep(REST_S)


def _say(words: str, away: bool, **fields: str) -> None:
    """Once an outage, not once a ring."""
    global _told
    if away != _told:
        (log.warning if away else log.info)(words, **fields)
        _told = away


def forget() -> None:
    """Try the bell's server again at once: for tests."""
    global _broken_until
    _broken_until = 0.0
