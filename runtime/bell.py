"""Hears the bell: a thread that listens to Redis and wakes the claimer or the beat."""

import threading
from typing import TYPE_CHECKING

import structlog

from services import bell

if TYPE_CHECKING:
    from runtime.process import WorkerProcess

log = structlog.get_logger(__name__)

AGAIN_S = 1.0


class Listener(threading.Thread):
    """Listens until stopped; with the bell away, workers poll, and it tries to come back every second."""

    def __init__(self, process: "WorkerProcess") -> None:
        super().__init__(name="listener", daemon=True)
        self._process = process
        self._stopping = threading.Event()
        self._away = False

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()

    def run(self) -> None:
        """Listen until stopped."""
        import redis

        while not self._stopping.is_set():
            try:
                self._listen()
            except (redis.RedisError, OSError, ValueError) as error:
                if not self._away:
                    log.warning("the bell is away; looking every second", error=type(error).__name__)
                self._away = True
                self._stopping.wait(AGAIN_S)

    def _listen(self) -> None:
        client = bell.connect(health_check_interval=10)
        listening = client.pubsub(ignore_subscribe_messages=True)
        listening.subscribe(bell.CHANNEL)
        if self._away:
            log.info("the bell is back")
            self._away = False
        self._process.claimer.wake()  # what was rung meanwhile was not heard
        self._process.beat.wake()
        try:
            while not self._stopping.is_set():
                message = listening.get_message(timeout=1.0)
                if message is not None and isinstance(message["data"], bytes):
                    self._process.hear(message["data"].decode("utf-8", "replace"))
        finally:
            client.close()
