"""The tasks that are measured: nothing at all, and one that says when it began."""

import os
import time
from pathlib import Path

from runtime import Run, actor


@actor
def noop(run: Run) -> None:
    """Nothing."""


@actor
def note(run: Run) -> None:
    """Write down when the body began."""
    at = time.time()
    with Path(os.environ["NOTE"]).open("a") as file:
        file.write(f"{at!r}\n")
