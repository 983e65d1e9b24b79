"""Schedules that need a person, each in a sentence."""

from collections.abc import Mapping, Sequence

from console.ui import say
from console.ui import schedule_words as words
from models import FireOutcome, Schedule, now
from services.schedules import Trouble

EACH = 2  # schedules of one trouble that are named; the others are counted
GRAVE = {Trouble.late, Trouble.paused}


def sentences(troubled: Mapping[Trouble, Sequence[Schedule]]) -> list[tuple[str, int | None, bool]]:
    """The sentence, the schedule it is about (None: several), and whether it is grave. A schedule has one at most."""
    found: list[tuple[str, int | None, bool]] = []
    told: set[int] = set()
    for trouble in Trouble:  # the worst first
        those = [row for row in troubled.get(trouble, ()) if row.id not in told]
        told |= {row.id for row in those}
        grave = trouble in GRAVE
        found += [(f"Schedule {say.short(row.name, 60)} {_says(trouble, row)}", row.id, grave) for row in those[:EACH]]
        if len(those) > EACH:
            many = say.many(len(those) - EACH, "more schedule")
            found.append((f"{many}: {words.TROUBLES[trouble]}.", None, grave))
    return found


def _says(trouble: Trouble, row: Schedule) -> str:
    if trouble is Trouble.late and row.due_at is not None:
        late = say.duration((now() - row.due_at).total_seconds() // 1)
        return f"was due {late} ago and has not fired."
    if trouble is Trouble.paused:
        return f"was switched off by itself: {row.disabled_reason or 'after failures'}."
    if trouble is Trouble.failing:
        if row.last_outcome is FireOutcome.failed:
            return "could not enqueue its last slot."
        return (
            "failed in its last run." if row.failures_in_row == 1 else f"failed {row.failures_in_row:,} times in a row."
        )
    if trouble is Trouble.missed:
        return "missed its last slot: nobody fired it."
    return "is on and never fires: no slot is to come."
