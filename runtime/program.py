"""A program to keep running, and the child process that runs it at the moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from settings import ROOT

LAUNCH = Path(__file__).with_name("launch.py")
STEADY_S = 5.0  # a child that lived this long was well: its next death is not held against it
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 10.0


class NotStarted(Exception):
    """Why something cannot be started, in a sentence."""


@dataclass(frozen=True)
class Program:
    """What to run. `prepare` is called before every start; what it raises is a failed start."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)  # beside the supervisor's own
    stop_s: float = 5.0  # between SIGTERM and SIGKILL
    stage: int = 0  # a higher stage is started later and stopped earlier; one stage stops at once
    log: Path | None = None  # where its output goes; None: where the supervisor's goes
    cwd: Path = ROOT
    prepare: Callable[[], None] | None = None


class Child:
    """One program's process: running, or waiting for its next start."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.pid = 0  # of the process it has, or had last
        self.due: float | None = time.monotonic()  # when to start it
        self.kill_at: float | None = None  # when patience ends, once it was asked to stop
        self._started = 0.0
        self._delay = 0.0

    def start(self) -> None:
        """Start the process, in a session of its own: a terminal's Ctrl-C reaches the supervisor alone."""
        self.due, self._started = None, time.monotonic()
        program = self.program
        if program.prepare:
            program.prepare()
        with ExitStack() as stack:
            output = stack.enter_context(program.log.open("ab")) if program.log else None
            self.process = subprocess.Popen(  # noqa: S603
                # -I -S: the launcher needs neither the project nor its packages, and starts faster without
                [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), *program.argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=program.cwd,
                env={**os.environ, **program.env},
                start_new_session=True,
            )
            self.pid = self.process.pid

    def ended(self) -> int | None:
        """The return code if the process has ended; what is left of its process group then ends with it."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self._kill_group()
        self.process = self.kill_at = None
        return code

    def replace(self) -> float:
        """Plan the next start; the seconds until then: 0 unless it keeps dying soon after its start."""
        if time.monotonic() - self._started >= STEADY_S:
            self._delay = 0.0
        delay, self._delay = self._delay, min(max(FIRST_DELAY_S, 2 * self._delay), LONGEST_DELAY_S)
        self.due = time.monotonic() + delay
        return delay

    def stop(self) -> None:
        """Ask it to stop, once."""
        self.due = None
        if self.process and self.kill_at is None:
            self.kill_at = time.monotonic() + self.program.stop_s
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its process group by force."""
        self.due = None
        if self.process:
            self.kill_at = float("inf")
            self._kill_group()

    def _kill_group(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError, PermissionError):  # nobody left in it (macOS says the second)
            os.killpg(self.process.pid, signal.SIGKILL)


def signal_name(number: int) -> str:
    """As operators look for it: SIGKILL."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
