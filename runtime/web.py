"""The console's process: how it is started, for the supervisor and for the Procfile's `web` line."""

import os
import sys
from pathlib import Path

from runtime.program import Program
from services import address
from settings import ROOT, settings

ENTRY = "console/asgi.py"


def program(log: Path | None = None, stage: int = 0) -> Program:
    """The console as a program for a supervisor."""
    return Program("web", argv(), stage=stage, log=log)


def argv() -> list[str]:
    """The command line. All else is in `.streamlit/config.toml`, which is read because the work is done in `ROOT`."""
    where = ["--server.address", settings().host, "--server.port", str(settings().port)]
    return [sys.executable, "-m", "streamlit", "run", ENTRY, *where]


def url() -> str:
    """Where a browser on this machine finds the console."""
    return address.console()


if __name__ == "__main__":
    os.chdir(ROOT)
    os.execv(sys.executable, argv())  # noqa: S606
