"""What tests of bulk acts share."""

import pytest

from services import bulk
from services.search import TaskFilter


def everyone() -> TaskFilter:
    return TaskFilter(type="greet")


def done(plan: bulk.Plan, reason: str | None = "spring cleaning") -> bulk.Run:
    """The plan carried out."""
    run = bulk.Run(plan)
    for _ in run.go(reason):
        pass
    return run


def batches_of(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of just so many, however slow the machine is."""
    monkeypatch.setattr("services.bulk.run.BATCH", many)
    monkeypatch.setattr("services.bulk.run.BATCH_S", 60.0)
