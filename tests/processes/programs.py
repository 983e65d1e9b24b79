"""The processes that a test starts: what they said, how they are doing, and proof that none of them stays."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import psutil

from models import Worker, reading
from settings import ROOT
from tests.forked import WORKER, Forked
from tests.support import freeze, wait_until

MARK = "CALLBOARD_TEST_MARK"  # inherited by all descendants, whatever session or parent they take on
UP_S = 40.0  # a start takes two seconds; a loaded machine may take its time


class Started:
    """One process with a log of its own, and its descendants. Without a command: from the fork server, by its code."""

    def __init__(
        self, name: str, command: list[str] | None, folder: Path, env: dict[str, str], code: str = WORKER
    ) -> None:
        self.name = name
        self.output = folder / f"{name}.log"
        self.process: subprocess.Popen[bytes] | Forked
        if command is None:
            self.process = Forked(code, says=self.output, env=env)
        else:
            env = {**os.environ, **env}
            with self.output.open("wb") as file:
                self.process = subprocess.Popen(
                    command, cwd=ROOT, stdout=file, stderr=file, env=env, start_new_session=True
                )
        self.pid = self.process.pid

    def said(self) -> str:
        """Its output so far."""
        return self.output.read_text(errors="replace")

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def freeze(self) -> None:
        """It neither works nor says goodbye."""
        freeze(self.process)

    def kill(self) -> None:
        """`kill -9`, and reap it."""
        self.process.kill()
        self.process.wait(10)

    def wait(self, timeout: float = 30.0) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(timeout)

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def descendants(self) -> list[psutil.Process]:
        """Everything below it that lives."""
        try:
            return [p for p in psutil.Process(self.pid).children(recursive=True) if alive(p)]
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[int]:
        """The pids of its worker processes that have registered, oldest first."""
        mine = {self.pid, *(p.pid for p in self.descendants())}
        return [row.pid for row in registered() if row.pid in mine]

    def up(self, workers: int = 1) -> "Started":
        """Wait until so many worker processes of it have registered."""

        def come() -> bool:
            assert self.runs(), f"{self.name} has ended:\n{self.said()[-3000:]}"
            return len(self.workers()) >= workers

        wait_until(come, timeout=UP_S, every=0.05, what=f"the start of {self.name}")
        return self


class Crew:
    """Everything one test starts. `end` leaves nothing behind, and fails where something had to be removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = uuid.uuid4().hex
        self.all: list[Started] = []

    def start(self, name: str, command: list[str] | None, code: str = WORKER, **env: str) -> Started:
        """Start a program with these settings beside the test's own."""
        number = sum(s.name.startswith(name) for s in self.all)
        one = Started(f"{name}{number}", command, self._folder, {**env, MARK: self._mark}, code)
        self.all.append(one)
        return one

    def worker(self, by_command: bool = False, **env: str) -> Started:
        """One worker process, supervised by nobody; `by_command`: started as a supervisor would, not forked."""
        return self.start("worker", [sys.executable, "-m", "runtime.worker_process"] if by_command else None, **env)

    def supervised(self, processes: int = 2, threads: int = 4, **env: str) -> Started:
        """The Procfile's worker line."""
        command = ["-m", "runtime.worker", "--processes", str(processes), "--threads", str(threads)]
        return self.start("supervisor", [sys.executable, *command], **env)

    def alive(self) -> list[psutil.Process]:
        """Every process that stems from this test. A forked one shows the environment of the fork server instead."""
        mine = {one.pid for one in self.all if one.runs()}
        return [p for p in psutil.process_iter() if (p.pid in mine or _bears(p, self._mark)) and alive(p)]

    def end(self) -> list[str]:
        """Kill all, reap all; returns the command lines of what the death of its parent did not end."""
        for one in self.all:
            if one.runs():
                one.send(signal.SIGCONT)
                one.process.kill()
            one.process.wait(10)
        for process in self.alive():
            if process.status() == psutil.STATUS_STOPPED:  # frozen by the test: it must hear of its parent's death
                process.send_signal(signal.SIGCONT)
        try:
            wait_until(lambda: not self.alive(), timeout=10, what="the end of all processes")
        except AssertionError:
            left = self.alive()
            words = [f"{p.pid} {' '.join(p.cmdline())}" for p in left]
            for process in left:
                process.kill()
            return words
        return []


def registered() -> list[Worker]:
    """The workers in the ledger that have not stopped, oldest first."""
    from sqlalchemy import select

    with reading() as session:
        query = select(Worker).where(Worker.kind == "worker", Worker.stopped_at.is_(None)).order_by(Worker.started_at)
        return list(session.execute(query).scalars())


def alive(process: psutil.Process) -> bool:
    """Whether it runs and is not merely waiting to be reaped."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _bears(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except psutil.Error:
        return False
