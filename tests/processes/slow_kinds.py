"""Task types with libraries that take their time to import."""

from runtime import Run, actor
from tests.processes import odd_kinds  # noqa: F401


@actor(retries=0, isolated=True, preload=("tests.processes.slow_library",))
def slow_to_import(run: Run) -> None:
    """Do next to nothing, once everything is there."""
