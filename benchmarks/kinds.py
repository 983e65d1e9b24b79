"""The task that is measured: nothing at all."""

from runtime import Run, actor


@actor
def noop(run: Run) -> None:
    """Nothing."""
