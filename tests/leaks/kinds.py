"""A body that does everything at once: progress, lines of log, a file."""

from runtime import Run, actor
from tests.soak.kinds import alone, busy, fruitful, hopeless, quick, shaky

__all__ = ["alone", "busy", "filing", "fruitful", "hopeless", "quick", "shaky"]


@actor(retries=0)
def filing(run: Run, lines: int = 50) -> int:
    """Write lines, tell how far it is, and leave a file."""
    for n in run.track(range(lines), "line {}"):
        run.log(f"line {n}", n=n)
    return run.artifact("lines.txt", b"x" * 10_000).id or 0
