"""More task types for the tests: those that outlive their lease, break their own worker, or use all a child may do."""

import ctypes
import locale
import logging
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, model_serializer

from runtime import GiveUp, Run, actor
from tests.processes.kinds import echo, note


@actor(retries=0)
def haunted(run: Run, seconds: float, witness: str) -> dict:
    """Python code that never checks, and speaks once more at its end."""
    note(witness, f"{run.task_id} {os.getpid()} start")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
    run.log(f"last words of {os.getpid()}")
    note(witness, f"{run.task_id} {os.getpid()} end")
    return {"pid": os.getpid()}


@actor(retries=0)
def wordy(run: Run, lines: int) -> int:
    """Say more than a log holds."""
    for number in range(lines):
        run.log(f"line {number}")
    return lines


@actor(retries=0)
def printing(run: Run, words: str = "hello") -> None:
    """Speak with Python's own means."""
    print(words, "from print")
    sys.stdout.writelines(["one line\n", "and another\n"])
    print(words, "from the error stream", file=sys.stderr)
    logging.getLogger("album").info("%s from logging", words)
    logging.getLogger("album").error("%s, an error", words)
    print("no line end", end="")


@actor(retries=0, isolated=True)
def printing_alone(run: Run, words: str = "hello") -> None:
    """The same in a process of its own."""
    printing.body(run, words)


@actor(retries=0)
def overflowing(run: Run) -> dict:
    """Say what no column of the ledger can hold."""
    run.log("nul \0, half a pair \ud800", **{"k\0ey \ud800": "\0", "many": 10**400, "odd": object()})
    run.progress(Fraction(1), Decimal(3), "nul \0", step="s" * 1000 + "\0")
    time.sleep(0.3)  # so that it is written by itself
    run.progress(3, 3, "n" * 1000)
    run.log("last")
    usage = {"model": "m" * 300, "input_tokens": 10**12, "output_tokens": -1}
    return {"engine": "e" * 300, "engine_kind": "k" * 300, "usage": usage}


@actor(retries=0, isolated=True)
def overflowing_alone(run: Run) -> dict:
    """The same in a process of its own."""
    return overflowing.body(run)


@actor(retries=0, isolated=True)
def gathering(run: Run) -> dict:
    """Use from a process of its own all that a body may do."""
    run.progress(1, 2, "gathering", step="first")
    child = echo.enqueue(text="from an isolated child")
    return {"needs": [[need.task_id, need.status, need.result] for need in run.needs], "child": child.id}


@actor(isolated=True)
def giving_up_alone(run: Run, why: str) -> None:
    """Fail for good in a process of its own."""
    raise GiveUp(why)


class Cancelled(Exception):
    """What a bank says."""


@actor(retries=0, isolated=True)
def namesake(run: Run) -> None:
    """Fail with an error of one's own that is called like one of the runtime's."""
    raise Cancelled("by the bank")


@actor(retries=0, isolated=True)
def filing(run: Run, words: str) -> dict:
    """Store a file and read it back."""
    artifact = run.artifact("note.txt", words.encode())
    return {"id": artifact.id, "size": artifact.size, "read": run.artifact_path(artifact.id).read_text()}


@actor(retries=0, isolated=True)
def noisy(run: Run, how: str) -> str:
    """Misbehave in a process of its own."""
    if how == "print":
        for _ in range(20_000):
            print("x" * 50_000)  # 1 GB
    if how == "c prints":
        for _ in range(200):
            os.write(1, b"x" * 2**20)
    if how == "signal":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGIO):
            signal.signal(number, lambda *_: None)
    if how == "closed":
        sys.stdout.close()
        os.close(1), os.close(2)
    if how == "fork" and os.fork() == 0:  # and stays behind
        time.sleep(600)
    if how == "moved":
        os.chdir("/")
        os.environ.clear()
        locale.setlocale(locale.LC_ALL, "C")
    if how == "thread":  # one that would keep any other process alive
        threading.Thread(target=time.sleep, args=(60,)).start()
    return how


@actor(retries=0, isolated=True)
def family(run: Run, seconds: float = 60.0) -> None:
    """Wait, with a process of one's own."""
    with subprocess.Popen(["sleep", str(seconds)]) as other:
        run.log("started", pid=other.pid)
        while other.poll() is None:
            time.sleep(0.02)
            run.checkpoint()


@actor(retries=0, isolated=True)
def crunching(run: Run, seconds: float = 0.3) -> int:
    """Use the processor and some memory."""
    block = bytearray(64 * 2**20)
    until = time.process_time() + seconds
    while time.process_time() < until:
        block[0] += 1
        block[0] %= 255
    return len(block)


@actor(retries=1)
def gil_holder(run: Run) -> None:
    """Hold the interpreter's lock for ever: no other thread of the process runs any more."""
    if multiprocessing.parent_process() is None:
        run.log("holding it")
    re.match(r"(a|a)+$", "a" * 60 + "b")


@actor(retries=0)
def saboteur(run: Run, thread: str) -> str:
    """End a thread of the worker, as a bug in it would."""
    victims = [t for t in threading.enumerate() if t.name == thread or type(t).__name__ == thread]
    victim = next(t for t in victims if t is not threading.current_thread())
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(victim.ident or 0), ctypes.py_object(SystemExit))
    return victim.name


class Unwilling(BaseModel):
    """A result that does not let itself be written."""

    how: str

    @model_serializer
    def write(self) -> Any:
        """Raise, or take the process down."""
        if self.how == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("I will not be written")


@actor(retries=0)
def unwilling(run: Run, how: str = "raise") -> Unwilling:
    """Return it."""
    return Unwilling(how=how)


@actor(retries=0, isolated=True)
def unwilling_alone(run: Run, how: str = "raise") -> Unwilling:
    """The same in a process of its own."""
    return Unwilling(how=how)
