"""Task types that behave in every way a body can; workers of the tests import them by ACTOR_MODULES."""

import ctypes
import hashlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from runtime import GiveUp, Retry, Run, actor


@actor
def noop(run: Run) -> None:
    """Nothing at all."""


@actor
def echo(run: Run, text: str = "hello", number: int = 1) -> dict:
    """Say it back."""
    run.log(f"saying {text}", number=number)
    return {"text": text, "number": number}


@actor(retries=2)
def sleepy(run: Run, seconds: float = 1.0, checks: bool = True, witness: str = "") -> dict:
    """Sleep in small steps; with `checks` it can be stopped at each. Notes each start in the file `witness`."""
    note(witness, f"{run.task_id} {run.attempt} {os.getpid()} start")
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
        if checks:
            run.progress(min(seconds, seconds - (until - time.monotonic())), seconds, "sleeping")
    note(witness, f"{run.task_id} {run.attempt} {os.getpid()} end")
    return {"slept": seconds}


@actor(retries=2)
def waiting(run: Run, gate: str, witness: str = "") -> None:
    """Wait for the file `gate`. Notes each start in the file `witness`."""
    note(witness, f"{run.task_id} {run.attempt} {os.getpid()} start")
    while not Path(gate).exists():
        time.sleep(0.02)
        run.checkpoint()


@actor(retries=2)
def failing(run: Run, times: int = 99, pause: float = 0.0, words: str = "it broke") -> dict:
    """Fail the first `times` tries."""
    if run.attempt <= times:
        raise Retry(words, after=pause)
    return {"attempt": run.attempt}


@actor
def giving_up(run: Run, why: str = "there is no hope") -> None:
    """Fail for good."""
    raise GiveUp(why)


@actor(retries=0)
def report(run: Run, pages: int = 10, empty_page: int = 0) -> dict:
    """Write a report, page by page; it has no use for a page without text."""
    for page in run.track(range(1, pages + 1), "page {}"):
        if page == empty_page:
            raise GiveUp(f"page {page} of the report has no text")
        time.sleep(0.2)
    return {"pages": pages}


@actor
def deadly(run: Run, how: str = "exit") -> None:
    """Take the process down."""
    if how == "exit":
        os._exit(3)
    if how == "segfault":
        ctypes.string_at(0)
    os.kill(os.getpid(), signal.SIGKILL)


@actor(retries=0)
def stubborn(run: Run, seconds: float = 30.0) -> None:
    """Python code that never checks."""
    until = time.monotonic() + seconds
    count = 0
    while time.monotonic() < until:
        count += 1


@actor(retries=0, isolated=True)
def in_c(run: Run, rounds: int = 2**31 - 1) -> str:
    """Inside one long C call, which no Python exception reaches."""
    return hashlib.pbkdf2_hmac("sha256", b"x", b"y", rounds).hex()


@actor(retries=0)
def in_c_inline(run: Run, rounds: int = 2**31 - 1) -> str:
    """The same in a worker thread."""
    return hashlib.pbkdf2_hmac("sha256", b"x", b"y", rounds).hex()


@actor(retries=0, isolated=True, memory_mb=300)
def hungry(run: Run, megabytes: int = 1000) -> int:
    """Take memory."""
    return len(bytearray(megabytes * 2**20))


@actor(retries=1, isolated=True)
def alone(run: Run, what: str = "ok", seconds: float = 0.0) -> Any:
    """Behave as asked, in a process of its own."""
    run.log(f"alone: {what}", pid=os.getpid())
    run.progress(1, 2, what)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.02)
        run.checkpoint()
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise":
        raise ValueError("wrong in the child")
    if what == "exit":
        sys.exit(4)
    return {"pid": os.getpid()}


@actor(retries=0)
def unfit(run: Run, what: str) -> Any:
    """Return what cannot be a result, or misbehave in another way."""
    if what == "nan":
        return {"x": float("nan")}
    if what == "object":
        return {"x": object()}
    if what == "huge":
        return "x" * (50 * 2**20)
    if what == "exit":
        raise SystemExit(1)
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "generator":
        raise GeneratorExit
    if what == "base":
        raise BaseException("not even an Exception")  # noqa: TRY002
    if what == "print":
        for _ in range(20_000):
            print("x" * 50_000)  # 1 GB
        return "printed"
    if what == "signal":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if what == "bad str":
        raise _BadStr
    return what


class _BadStr(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@actor
def parent(run: Run, children: int = 3) -> list[int]:
    """Enqueue others from inside a body."""
    return [echo.enqueue(text=f"child {n}").id for n in range(children)]


def note(path: str, line: str) -> None:
    """Add a line to a test's file."""
    if path:
        with Path(path).open("a") as file:
            file.write(line + "\n")
