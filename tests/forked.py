"""A fork server for tests: a program of ours in milliseconds of processor time, instead of a second of imports.

It is one process (of each that runs tests) which has imported what such programs import, and has done nothing else: no
settings are read, no engine is made, no thread runs, no file is open. For each request it forks a child, which takes a
session, an environment and an output of its own, as `Popen` gives them, and then runs the code as `python -c` does. So
a child is what a command starts, but for three things that the system tells of the server instead: its command line,
its first environment (`/proc/PID/environ`) and its parent, who collects it at once. A few tests start each program by
its command nevertheless.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from select import select

from settings import ROOT

WORKER = "import runpy; runpy.run_module('runtime.worker_process', run_name='__main__', alter_sys=True)"
SCHEDULER = "import runpy; runpy.run_path('scheduler.py', run_name='__main__')"
IMPORTED = (
    "runtime.worker_process", "runtime.process", "runtime.supervisor", "runtime.embedded", "scheduler",
    "models.migrate", "alembic.command", "redis", "psycopg", "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite", "pysqlite3",
)  # fmt: skip
RUN = ("runtime.worker_process", "runtime.supervisor", "scheduler")  # as programs: the import only warms what they use


class Forked:
    """As a `subprocess.Popen` of `python -c code`; what it says, on either channel, is added to a file."""

    def __init__(self, code: str, *arguments: str, says: Path, env: Mapping[str, str] | None = None) -> None:
        """`env`: beside the caller's own."""
        self._says = says
        request = {"code": code, "arguments": arguments, "env": {**os.environ, **(env or {})}}
        self._word, theirs = os.pipe()  # the server says its pid, and in the end its exit code
        with says.open("ab") as output:
            socket.send_fds(_server()[1], [json.dumps(request).encode()], [output.fileno(), theirs])
        os.close(theirs)
        self.returncode: int | None = None
        self.pid = self._number()

    def said(self) -> str:
        """What it has said by now."""
        return self._says.read_text(errors="replace")

    def poll(self) -> int | None:
        """Its exit code as `Popen` has it (a signal's number is negative); None while it runs."""
        over = self.returncode is not None or select([self._word], [], [], 0)[0]
        return self.wait() if over else None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select([self._word], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"the fork with pid {self.pid}", timeout or 0.0)
            self.returncode = self._number()
            os.close(self._word)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """`kill -9`."""
        self.send_signal(signal.SIGKILL)

    def _number(self) -> int:
        said = os.read(self._word, 4)
        assert said, "the fork server has ended"
        return int.from_bytes(said, "little", signed=True)


@lru_cache(1)
def _server() -> tuple[subprocess.Popen[bytes], socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", __name__, str(theirs.fileno())]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    with theirs:
        return subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], start_new_session=True, **quiet), ours


def end() -> None:
    """End the server, if there is one, and what it still has."""
    if _server.cache_info().currsize:
        process, control = _server()
        control.close()
        process.wait(10)
        _server.cache_clear()


def main() -> None:
    """Serve until the client is gone; in each child, be what was asked for."""
    with socket.socket(fileno=int(sys.argv[1])) as control:
        for name in IMPORTED:
            with suppress(ImportError):  # the last is not everywhere
                import_module(name)
        for name in RUN:
            del sys.modules[name]
        if (request := _serve(control)) is not None:
            control.detach()
            _become(*request)


def _serve(control: socket.socket) -> tuple[bytes, int] | None:
    """Fork a child for each request and tell how it ended. Returns in the children, and None at the end."""
    children: dict[int, tuple[int, int]] = {}  # pidfd: pid, where to tell
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd in children:
                    pid, tell = children.pop(key.fd)
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _say(tell, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                    os.close(tell)
                    continue
                request, files, _, _ = socket.recv_fds(control, 2**17, 2)
                if not request:
                    for pid, _ in children.values():
                        os.kill(pid, signal.SIGKILL)
                    return None
                output, tell = files
                if (pid := os.fork()) == 0:
                    return request, output
                os.close(output)
                watch = os.pidfd_open(pid)
                children[watch] = pid, tell
                selector.register(watch, selectors.EVENT_READ)
                _say(tell, pid)


def _say(to: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(to, number.to_bytes(4, "little", signed=True))


def _become(request: bytes, output: int) -> None:
    """As if this process had just been started."""
    asked = json.loads(request)
    os.setsid()
    os.dup2(output, 1), os.dup2(output, 2)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    sys.argv = ["-c", *asked["arguments"]]
    exec(compile(asked["code"], "<forked>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    main()
