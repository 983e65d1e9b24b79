"""A console and a worker, started as in real life on a ledger of their own."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models import migrate
from runtime import ready, web
from settings import ROOT
from tests.conftest import forget, use
from tests.support import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def served(
    patch: pytest.MonkeyPatch,
    folder: Path,
    port: str,
    *more: list[str],
    before: Callable[[], None] = lambda: None,
    **settings: str,
) -> Iterator[str]:
    """The address of a console on this port, with a ledger of its own in `folder`; `more`: further processes' commands.

    `before` may fill the ledger before anybody works on it. What the processes say is in `folder`/log.
    """
    use(patch, folder / "var", None, PORT=port, **settings)
    migrate.upgrade()
    before()
    log = (folder / "log").open("wb")
    commands = [web.argv(), [sys.executable, "-m", "runtime.worker_process"], *more]
    running = [subprocess.Popen(c, cwd=ROOT, stdout=log, stderr=log, start_new_session=True) for c in commands]
    try:
        wait_until(ready.console_answers, timeout=60, what="the console's start")
        wait_until(lambda: ready.beats("worker"), timeout=60, what="the worker's start")
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()
        forget()
