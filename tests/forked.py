"""Programs of ours without the start of an interpreter: each is forked from a process that has imported what they use.

To start Python and import SQLAlchemy takes longer than most of what such a program is started for. A few tests start
it for real nevertheless.
"""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

from settings import ROOT

# What takes time; nothing that reads settings or opens a ledger when it is imported
IMPORTED = [
    "scheduler", "runtime.supervisor", "runtime.embedded", "models.migrate", "alembic.command", "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite",
]  # fmt: skip

SCHEDULER = "import runpy; runpy.run_path('scheduler.py', run_name='__main__')"

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(IMPORTED)


class Forked:
    """As a `subprocess.Popen` of `python -c code`; what it says, on either channel, is written to a file."""

    def __init__(self, code: str, *arguments: str, says: Path, env: dict[str, str] | None = None) -> None:
        self._says = says
        work = (code, arguments, str(says), os.environ | (env or {}))
        self._process = _context.Process(target=_run, args=work, daemon=True)
        self._process.start()
        self.pid = self._process.pid
        self.kill, self.terminate = self._process.kill, self._process.terminate

    def poll(self) -> int | None:
        """Its exit code (the signal that ended it: negative), or None while it runs."""
        return self._process.exitcode

    returncode = property(poll)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises `subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired("a forked program", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def said(self) -> str:
        """What it has said by now."""
        return self._says.read_text()


def _run(code: str, arguments: tuple[str, ...], says: str, env: dict[str, str]) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    file = os.open(says, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["-c", *arguments]
    exec(compile(code, "<forked>", "exec"), {"__name__": "__main__"})
