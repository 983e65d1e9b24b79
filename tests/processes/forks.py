"""A fork server for tests: a worker process in milliseconds of processor time, instead of a second of imports.

It is one process (of each that runs tests) which has imported what `python -m runtime.worker_process` imports, and
has done nothing else: no settings are read, no engine is made, no thread runs, no file is open. For each request it
forks a child, which takes a session, an environment and an output of its own, as `Popen` gives them, and then runs the
module as `python -m` does. So a child is what the command starts, but for three things that the system tells of the
server instead: its command line, its first environment (`/proc/PID/environ`) and its parent, who collects it at once.
"""

import json
import os
import runpy
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
from select import select
from typing import IO

from settings import ROOT

MODULE = "runtime.worker_process"
LATER = ("runtime.process", "redis", "psycopg", "pysqlite3")  # what it imports once it runs; the last is not everywhere


class Forked:
    """A child of the fork server, with what tests use of a `Popen`."""

    def __init__(self, output: IO[bytes], env: Mapping[str, str]) -> None:
        self._word, theirs = os.pipe()  # the server says its pid, and in the end its exit code
        socket.send_fds(_server()[1], [json.dumps(dict(env)).encode()], [output.fileno(), theirs])
        os.close(theirs)
        self.returncode: int | None = None
        self.pid = self._number()

    def poll(self) -> int | None:
        """Its exit code as `Popen` has it (a signal's number is negative); None while it runs."""
        over = self.returncode is not None or select([self._word], [], [], 0)[0]
        return self.wait() if over else None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, once it has ended. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            if not select([self._word], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"the fork of {MODULE} with pid {self.pid}", timeout or 0.0)
            self.returncode = self._number()
            os.close(self._word)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

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
    command = [sys.executable, "-m", __name__, str(theirs.fileno()), MODULE]
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
        for name in (MODULE, *LATER):
            with suppress(ImportError):
                import_module(name)
        del sys.modules[MODULE]  # it is to be run, not to be used
        if (request := _serve(control)) is not None:
            control.detach()
            _become(*request)


def _serve(control: socket.socket) -> tuple[dict[str, str], int] | None:
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
                said, files, _, _ = socket.recv_fds(control, 2**17, 2)
                if not said:
                    for pid, _ in children.values():
                        os.kill(pid, signal.SIGKILL)
                    return None
                output, tell = files
                if (pid := os.fork()) == 0:
                    return json.loads(said), output
                os.close(output)
                watch = os.pidfd_open(pid)
                children[watch] = pid, tell
                selector.register(watch, selectors.EVENT_READ)
                _say(tell, pid)


def _say(to: int, number: int) -> None:
    with suppress(BrokenPipeError):
        os.write(to, number.to_bytes(4, "little", signed=True))


def _become(env: Mapping[str, str], output: int) -> None:
    """As if this process had just been started."""
    os.setsid()
    os.dup2(output, 1), os.dup2(output, 2)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.argv = [MODULE]
    runpy.run_module(MODULE, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
