"""A contender's workers while it is measured: started, watched, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from benchmarks import jobs
from benchmarks.peers import Peer

PATIENCE_S = 60  # without any progress
STOP_S = 8


class Workers:
    """The programs that serve a peer's queue, with all their children."""

    def __init__(self, programs: list[subprocess.Popen[bytes]], log: Path) -> None:
        self._programs = programs
        self._log = log
        self._killed = False

    def pids(self) -> list[int]:
        """All their processes."""
        return [process.pid for process in self._processes()]

    def cpu_s(self) -> float:
        """Processor seconds they have used so far, children that have ended included."""
        return sum(_cpu_s(process) for process in self._processes())

    def memory_mb(self) -> float:
        """What they occupy together, pages that they share counted once."""
        total = 0
        for process in self._processes():
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
        return round(total / 1e6, 1)

    def await_(self, condition: Callable[[], bool], pause_s: float = 0.005) -> None:
        """Wait until it is so. Raises `TimeoutError` when for a minute no further body has begun."""
        seen, since = jobs.begun(), time.monotonic()
        while True:
            looked = time.monotonic()
            if condition():
                return
            if (now := jobs.begun()) != seen:
                seen, since = now, time.monotonic()
            if not self._killed and any(program.poll() is not None for program in self._programs):
                raise RuntimeError(f"a worker has ended\n{self.log()}")
            if time.monotonic() - since > PATIENCE_S:
                raise TimeoutError(f"no progress after {seen} jobs\n{self.log()}")
            time.sleep(max(pause_s, 4 * (time.monotonic() - looked)))  # looking must not be what is measured

    def log(self) -> str:
        """The end of what they have said."""
        return self._log.read_text(errors="replace")[-2_000:]

    def stop(self) -> None:
        """In good order if they can, else by force."""
        everybody = self._processes()
        for program in self._programs:
            program.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(everybody, timeout=STOP_S)
        for process in alive:
            with suppress(psutil.Error):
                process.kill()
        for program in self._programs:
            program.wait()

    def kill_one(self, pid: int) -> None:
        """One process; its siblings live on, or what the peer has in place of that."""
        self._killed = True
        os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """As a machine dies: all at once, without a word."""
        self._killed = True
        for process in self._processes():
            with suppress(psutil.Error):
                process.kill()
        for program in self._programs:
            program.wait()

    def _processes(self) -> list[psutil.Process]:
        found = []
        for program in self._programs:
            with suppress(psutil.Error):
                parent = psutil.Process(program.pid)
                found += [parent, *parent.children(recursive=True)]
        return found


@contextmanager
def running(peer: Peer, processes: int = 2, threads: int = 8) -> Iterator[Workers]:
    """Workers of this peer."""
    log = Path(os.environ["BENCH_DIR"], "workers.log")
    with log.open("ab") as file:
        programs = [
            subprocess.Popen([sys.executable, *command], stdout=file, stderr=file)
            for command in peer.commands(processes, threads)
        ]
    workers = Workers(programs, log)
    try:
        yield workers
    finally:
        workers.stop()


def servers_cpu_s() -> float:
    """Processor seconds that the servers of this contender have used so far."""
    total = 0.0
    for pid in os.environ["SERVERS"].split(","):
        with suppress(psutil.Error):
            parent = psutil.Process(int(pid))
            total += sum(_cpu_s(process) for process in (parent, *parent.children(recursive=True)))
    return total


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return sum(process.cpu_times()[:4])  # user, system, and both of children that have ended
    return 0.0
