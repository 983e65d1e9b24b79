"""`make start` for real: all of it comes up, heals, stops without a trace, and goes on where it was."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from models import Status
from runtime import instance, ready
from services import tasks, workers
from settings import ROOT
from tests.conftest import forget, use
from tests.processes import facts, kinds
from tests.support import wait_until

SLOW_S = 60.0  # a start takes a few seconds; a loaded machine may take its time
WORKERS = ["worker.1", "worker.2"]
ALL = ["valkey", *WORKERS, "scheduler", "web"]


class Started:
    """One run of `make start`, or of another way to start everything."""

    def __init__(self, output: Path, *command: str) -> None:
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                command or [sys.executable, "-m", "runtime.start"],
                cwd=ROOT,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        self._family: set[psutil.Process] = set()

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        wait_until(lambda: "Callboard is up" in self.said() or not self.runs(), timeout=SLOW_S, what="the start")
        assert self.runs(), self.said()
        self.processes()

    def runs(self) -> bool:
        return self.process.poll() is None

    def processes(self) -> set[psutil.Process]:
        """Everything it has started that lives."""
        self._family |= set(psutil.Process(self.process.pid).children(recursive=True))
        return {p for p in self._family if alive(p)}

    def pids(self) -> dict[str, int]:
        """The latest process of each program, by its log."""
        starts = re.findall(r'"program started", "program": "([\w.]+)", "pid": (\d+)', self.said())
        return {name: int(pid) for name, pid in starts}

    def stop(self, request: int = signal.SIGINT) -> int:
        self.processes()
        self.process.send_signal(request)
        return self.process.wait(30)

    def nothing_is_left(self) -> bool:
        return not any(alive(p) for p in self._family)

    def end(self) -> None:
        """Whatever the test did, nothing may stay."""
        if self.runs():
            self.processes()
            self.process.kill()
            self.process.wait()
        for process in self._family:
            if alive(process):
                process.kill()


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A VAR_DIR, a free port and the task types of the tests, for this process and for what it starts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    here = Path(sys.executable).parent  # first on the path, as `make procfile` has it
    monkeypatch.setenv("PATH", f"{here}{os.pathsep}{os.environ['PATH']}")
    environment = {"ACTOR_MODULES": "tests.processes.kinds", "LOG_FORMAT": "json", "WORKER_THREADS": "2"}
    (tmp_path / "var").mkdir(mode=0o700)
    use(monkeypatch, tmp_path / "var", None, PORT=port, STOP_GRACE_S="0.5", **environment)
    yield tmp_path / "var"
    forget()


@pytest.fixture
def start(var_dir: Path) -> Iterator[Callable[..., Started]]:
    runs: list[Started] = []

    def start(*command: str) -> Started:
        runs.append(Started(var_dir.parent / f"output.{len(runs)}", *command))
        return runs[-1]

    yield start
    for run in runs:
        run.end()


def waits(gate: Path, witness: Path) -> int:
    """The id of a task that has started, and waits for the gate."""
    witness.unlink(missing_ok=True)
    task = kinds.waiting.enqueue(gate=str(gate), witness=str(witness))
    wait_until(lambda: witness.exists() and witness.read_text(), timeout=SLOW_S, what="the task's start")
    return task.id


def test_all_of_it_works_leaves_no_process_behind_at_ctrl_c_and_what_ran_goes_on_at_the_next_start(start, var_dir):
    assert not instance.running()
    first = start()
    first.wait_until_up()
    assert list(first.pids()) == ALL
    assert instance.running()
    assert ready.missing() is None
    wait_until(lambda: len(workers.alive()) == 2, timeout=SLOW_S, what="the second worker")
    assert tasks.wait(kinds.echo.enqueue(text="hello").id, timeout=SLOW_S).status is Status.completed
    a_second_start_is_refused(start, first)

    gate, witness = var_dir / "gate", var_dir / "witness"
    task = waits(gate, witness)
    assert first.stop() == 0
    assert first.nothing_is_left()
    assert not instance.running()
    assert workers.alive() == []
    assert tasks.get(task).status is Status.queued

    gate.touch()
    second = start()
    done = tasks.wait(task, timeout=SLOW_S)
    assert (done.status, done.losses) == (Status.completed, 0)
    assert len(witness.read_text().splitlines()) == 2
    second.wait_until_up()
    assert second.stop(signal.SIGTERM) == 0
    assert second.nothing_is_left()


def a_second_start_is_refused(start: Callable[..., Started], first: Started) -> None:
    second = start()
    assert second.process.wait(SLOW_S) == 1
    assert f"runs here already: http://127.0.0.1:{os.environ['PORT']} (process {first.process.pid})" in flat(second)
    assert first.runs()


def test_what_dies_is_replaced_alone_and_after_kill_minus_9_the_next_start_takes_over_at_once(start, var_dir):
    first = start()
    first.wait_until_up()
    before = first.pids()
    gate, witness = var_dir / "gate", var_dir / "witness"
    task = waits(gate, witness)
    victim = int(witness.read_text().split()[2])
    for pid in (victim, before["scheduler"], before["web"], before["valkey"]):
        os.kill(pid, signal.SIGKILL)
    gate.touch()
    assert tasks.wait(task, timeout=SLOW_S).losses == 1
    assert "was ended by SIGKILL" in str(facts.attempts(task)[0].error_text)  # and not: its lease ran out
    wait_until(lambda: ready.missing() is None, timeout=SLOW_S, what="the console's return")
    after = first.pids()
    assert {name for name in ALL if after[name] == before[name]} == {name for name in WORKERS if before[name] != victim}

    gate.unlink()
    task = waits(gate, witness)
    assert len(first.processes()) >= len(ALL)
    first.process.kill()
    first.process.wait()
    wait_until(first.nothing_is_left, what="the end of all processes")
    gate.touch()
    second = start()
    second.wait_until_up()
    assert '"tasks_taken_back": 1' in second.said()
    assert tasks.wait(task, timeout=SLOW_S).status is Status.completed
    assert second.stop() == 0


def test_a_taken_port_is_refused_before_anything_is_started(start, var_dir):
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))):
        run = start()
        assert run.process.wait(SLOW_S) == 1
    assert f"cannot listen on 127.0.0.1:{os.environ['PORT']}" in flat(run)
    assert not (var_dir / "callboard.sqlite3").exists()


def test_the_procfile_runs_under_honcho_and_stops_without_a_trace(start):
    run = start(sys.executable, "-m", "honcho", "start", "--port", os.environ["PORT"])
    wait_until(lambda: ready.missing() is None or not run.runs(), timeout=SLOW_S, what="the Procfile's lines")
    assert run.runs(), run.said()
    assert tasks.wait(kinds.echo.enqueue().id, timeout=SLOW_S).status is Status.completed
    run.stop()
    assert "sending SIGKILL" not in run.said()
    assert run.nothing_is_left()


def flat(run: Started) -> str:
    return " ".join(run.said().split())
