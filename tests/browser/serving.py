"""A console and a worker, started as in real life on a ledger of their own."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from models import migrate, transaction
from runtime import ready, web
from services import workers
from settings import ROOT
from tests.conftest import forget, use
from tests.support import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


WORKER = [sys.executable, "-m", "runtime.worker_process"]
# What the processes that run have written down about themselves, and expect to find
THEIRS = {"schema_floor", "workers", "types", "queues"}


@dataclass
class Served:
    """The processes of one installation, and where they are."""

    folder: Path
    settings: dict[str, str]
    _running: list[subprocess.Popen] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Of the console."""
        return f"http://127.0.0.1:{self.settings['PORT']}"

    @property
    def log(self) -> Path:
        """What the processes say."""
        return self.folder / "log"

    def enter(self, patch: pytest.MonkeyPatch) -> None:
        """Let this process, and those it starts, be of this installation."""
        use(patch, self.folder / "var", None, **self.settings)

    def start(self, commands: Sequence[list[str]]) -> None:
        """Start these, and wait until console and worker are up."""
        with self.log.open("ab") as log:
            for command in commands:
                process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
                self._running.append(process)
        wait_until(ready.console_answers, timeout=60, what="the console's start")
        wait_until(lambda: ready.beats("worker"), timeout=60, what="the worker's start")

    def anew(self) -> None:
        """An empty ledger, a console, and a worker that lives and has nothing to do."""
        if not self._running:
            self.start([web.argv(), WORKER])
        elif any(process.poll() is not None for process in self._running):
            self._running = [process for process in self._running if process.poll() is None]
            workers.bury_the_dead_here()
            self.start([WORKER])
        with transaction() as session:
            for table in reversed(SQLModel.metadata.sorted_tables):
                if table.name not in THEIRS:
                    session.execute(table.delete())
            session.execute(text("DELETE FROM workers WHERE stopped_at IS NOT NULL"))
            session.execute(text("UPDATE queues SET paused_at = NULL, paused_by = NULL, pause_reason = NULL"))
            session.execute(text("DELETE FROM sqlite_sequence"))
        wait_until(lambda: sum(one.busy for one in workers.alive()) == 0, what="a worker with nothing to do")

    def stop(self) -> None:
        """End them in good order, or at last in any."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running = []


@contextmanager
def served(
    patch: pytest.MonkeyPatch,
    folder: Path,
    port: str,
    *more: list[str],
    before: Callable[[], None] = lambda: None,
    **settings: str,
) -> Iterator[Served]:
    """A console on this port, with a ledger of its own in `folder`; `more`: further processes' commands.

    `before` may fill the ledger before anybody works on it. What the processes say is in `folder`/log.
    """
    running = Served(folder, {"PORT": port, **settings})
    running.enter(patch)
    migrate.upgrade()
    before()
    try:
        running.start([web.argv(), WORKER, *more])
        yield running
    finally:
        running.stop()
        forget()
