"""Keeps programs running: replaces each that dies, stops all when asked, leaves nothing behind.

One thread, woken by signals and by nothing else: it costs nothing while all is well, and a database that
hangs never delays a replacement. Its children die with it, even by `kill -9` (see `launch`).
"""

import os
import queue
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import structlog

from runtime.program import Child, Program, signal_name

STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ONE_REQUEST_S = 0.3  # the same request often comes twice, to the process and to its group
REPORT_S = 2.0  # time the last reports of deaths get at the end

log = structlog.get_logger()
OnDeath = Callable[[Program, int, int], None]


class Supervisor:
    """Runs `programs` until SIGTERM, SIGINT or SIGHUP; a second signal ends them by force.

    `on_death(program, pid, returncode)` is told of every process that ended with another code than 0 (a
    negative one is a signal's number), from a thread of its own and after the replacement was started. What
    it raises is logged.
    """

    def __init__(self, programs: Iterable[Program], on_death: OnDeath | None = None) -> None:
        self._children = [Child(p) for p in sorted(programs, key=lambda p: p.stage)]
        self._reports = _Reports(on_death) if on_death else None
        self._asked_at: float | None = None

    def run(self) -> int:
        """Keep everything running until asked to stop; the exit code."""
        with _signals() as wakeups, selectors.DefaultSelector() as selector:
            selector.register(wakeups, selectors.EVENT_READ)
            try:
                while self._step():
                    if selector.select(self._patience()):
                        for number in wakeups.recv(4096):
                            self._signalled(signal.Signals(number))
            finally:
                for child in self._children:
                    child.kill()
        if self._reports:
            self._reports.finish()
        _say("info", "all programs stopped")
        return os.EX_OK

    def _step(self) -> bool:
        """Do all that is due; whether there is anything left to keep."""
        self._reap()
        if self._asked_at is None:
            self._start()
            return True
        self._stop()
        return any(c.process for c in self._children)

    def _signalled(self, received: signal.Signals) -> None:
        if received not in STOP:
            return
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            _say("info", "stopping", signal=received.name)
        elif now - self._asked_at > ONE_REQUEST_S:
            _say("warning", "stopping at once", signal=received.name)
            for child in self._children:
                child.kill()

    def _reap(self) -> None:
        for child in self._children:
            if (code := child.ended()) is None:
                continue
            pid = child.pid
            if self._asked_at is None:
                level, what = ("warning", "program died") if code else ("info", "program ended")
                _tell(child, level, what, **_ending(code), restart_in_s=child.replace())
                self._start()
            else:
                _tell(child, "info", "program stopped", **_ending(code))
            obeyed = self._asked_at is not None and code == -signal.SIGTERM  # before it could say how it stops
            if code != 0 and not obeyed and self._reports:
                self._reports.put(child.program, pid, code)

    def _start(self) -> None:
        for child in self._children:
            if child.due is None or child.due > time.monotonic():
                continue
            try:
                child.start()
            except Exception:
                _tell(child, "exception", "program not started", restart_in_s=child.replace())
            else:
                _tell(child, "info", "program started")

    def _stop(self) -> None:
        """Ask the highest stage that still runs to stop, and end those that were asked too long ago."""
        stage = max((c.program.stage for c in self._children if c.process), default=0)
        for child in reversed(self._children):
            child.due = None
            if child.program.stage == stage:
                child.stop()
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                _tell(child, "warning", "program does not stop and is killed", after_s=child.program.stop_s)
                child.kill()

    def _patience(self) -> float | None:
        """Seconds until there is something to do unasked, None for as long as it takes."""
        times = [t for c in self._children for t in (c.due, c.kill_at) if t is not None]
        soonest = min(times, default=float("inf"))
        return None if soonest == float("inf") else max(0.0, soonest - time.monotonic())


class _Reports(threading.Thread):
    """Calls `on_death` apart from the supervisor, which never waits for it."""

    def __init__(self, on_death: OnDeath) -> None:
        super().__init__(name="deaths", daemon=True)
        self._on_death = on_death
        self._deaths: queue.SimpleQueue[tuple[Program, int, int] | None] = queue.SimpleQueue()

    def put(self, program: Program, pid: int, code: int) -> None:
        self._deaths.put((program, pid, code))
        if not self.is_alive():
            self.start()

    def finish(self) -> None:
        self._deaths.put(None)
        if self.is_alive():
            self.join(REPORT_S)

    def run(self) -> None:
        while death := self._deaths.get():
            program, pid, code = death
            try:
                self._on_death(program, pid, code)
            except Exception as error:
                why = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
                _say("warning", "death not reported", program=program.name, pid=pid, error=why)


def _tell(child: Child, level: str, event: str, **fields: object) -> None:
    _say(level, event, program=child.program.name, pid=child.pid, **fields)


def _say(level: str, event: str, **fields: object) -> None:
    with suppress(OSError):  # the terminal may be gone: no reason to drop the children
        getattr(log, level)(event, **fields)


def _ending(code: int) -> dict[str, int | str]:
    if code >= 0:
        return {"code": code}
    return {"signal": signal_name(-code)}


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that receives each signal's number. Requests to stop are ignored afterwards."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    watched = [
        s for s in (*STOP, signal.SIGCHLD) if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN
    ]  # nohup
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in watched:
        signal.signal(number, lambda *_: None)
    try:
        yield reader
    finally:
        for number in watched:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        reader.close()
        writer.close()
