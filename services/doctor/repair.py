"""Mending what is safe to mend: what can be worked out again from what is there. Each repair is an event."""

from collections.abc import Callable, Iterable

from models import Role
from services import audit
from services.doctor.check import MOST, Result
from services.doctor.examine import examine

ROUNDS = 100  # of a thousand breaches each


def repair(results: Iterable[Result], told: Callable[[Result, int], None] | None = None) -> int:
    """Repair what these results tell and can be mended; returns how many things were repaired.

    Takes the role admin. What cannot be worked out again (which of two truths is true) is left to a person.
    """
    audit.require(Role.admin)
    total = 0
    for result in results:
        mend = result.check.mend
        if mend is None or not result.findings:
            continue
        done = mend([finding.row for finding in result.findings])
        total += done
        if told is not None:
            told(result, done)
    return total


def repair_all(told: Callable[[Result, int], None] | None = None, patience: float = 1.0) -> list[Result]:
    """Examine and repair until nothing more can be mended; returns what the last look found."""
    for _ in range(ROUNDS):
        results = examine(patience=patience)
        full = any(len(r.findings) >= MOST and r.check.mend is not None for r in results)
        if not repair(results, told) or not full:
            break
    return examine(patience=patience)
