"""What is to become of the slots that are due: the policies for overlap and for missed slots. Pure: decides only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from models import FireOutcome, Missed, Overlap
from services.schedules.keeping import NOBODY
from services.schedules.rule import Rule, Slot, jitter

MISSED_AFTER_S = 60  # later than this a slot did not fire late, it was missed
MOST_CAUGHT_UP = 100
MOST_AT_ONCE = 1_000  # slots of one schedule in one transaction


@dataclass(slots=True)
class Decision:
    """What one slot comes to."""

    slot: Slot
    late_s: float
    outcome: FireOutcome = FireOutcome.ran
    why: str | None = None
    behind: bool = False  # it starts when the earlier runs have ended
    cancels: bool = False  # they are cancelled for it

    def drop(self, outcome: FireOutcome, why: str) -> None:
        """No task for it."""
        self.outcome, self.why, self.behind, self.cancels = outcome, why, False, False


@dataclass(slots=True)
class Due:
    """The slots of a schedule that are due, and the one that comes after them."""

    slots: list[Slot]
    following: Slot | None
    to_the_end: bool  # False: there are more, for the next transaction


def slots_due(row: Any, at: datetime) -> Due:
    """From the schedule's next slot to now. Where there are too many, the newest hundred are left for later."""
    rule, slots = Rule.of(row), [Slot(row.next_slot, row.next_at)]
    while (slot := following(rule, slots[-1])) is not None:
        if slot.at + jitter(row.id, slot.name, row.jitter_s) > at:
            break
        slots.append(slot)
        if len(slots) > MOST_AT_ONCE:
            kept = len(slots) - MOST_CAUGHT_UP
            return Due(slots[:kept], slots[kept], False)
    return Due(slots, slot, True)


@lru_cache(20_000)
def following(rule: Rule, slot: Slot) -> Slot | None:
    """The slot after this one; many schedules have the same rule."""
    return rule.first(slot)


def decide(row: Any, due: Due, at: datetime, live: int) -> list[Decision]:
    """One decision a slot, in order. `live`: how many runs of the schedule have not ended."""
    all_ = [Decision(slot, _late_s(row, slot, at)) for slot in due.slots]
    old = [each for each in all_ if each.late_s > MISSED_AFTER_S]
    fresh = [each for each in all_ if each.late_s <= MISSED_AFTER_S]
    caught_up = _catch_up(row, old, bool(fresh), due.to_the_end)
    _overlap(Overlap(row.overlap), caught_up, fresh, live, chained=row.missed == Missed.all)
    return all_


def _late_s(row: Any, slot: Slot, at: datetime) -> float:
    return (at - slot.at - jitter(row.id, slot.name, row.jitter_s)).total_seconds()


def _catch_up(row: Any, old: Sequence[Decision], fresh: bool, to_the_end: bool) -> list[Decision]:
    """Those of the missed slots that run after all; the others are told why they do not."""
    policy, chosen = Missed(row.missed), []
    if policy is Missed.all and to_the_end:
        chosen = list(old[-MOST_CAUGHT_UP:])
    elif policy is Missed.once and to_the_end and old and not fresh:  # a slot that is due now does for all before it
        chosen = [old[-1]]
    for each in old:
        each.drop(FireOutcome.missed, NOBODY)
    for each in chosen:
        if policy is Missed.once and each.late_s > row.missed_window_s:
            each.drop(FireOutcome.skipped, f"outside its window of {_span(row.missed_window_s)}")
        else:
            each.outcome, each.why = FireOutcome.ran, "caught up"
    return [each for each in chosen if each.outcome is FireOutcome.ran]


def _overlap(policy: Overlap, caught_up: list[Decision], fresh: list[Decision], live: int, chained: bool) -> None:
    if policy is Overlap.allow:
        return
    if chained:  # whoever asks for all of them wants all: one after another
        for each in caught_up:
            each.behind, live = live > 0, live + 1
        caught_up = []
    if policy is Overlap.cancel_previous:
        for each in [*caught_up, *fresh][:-1]:
            each.drop(FireOutcome.skipped, "the next slot was due already")
    for each in [*caught_up, *fresh]:
        if each.outcome is FireOutcome.ran and meet(policy, each, live):
            live += 1


def meet(policy: Overlap, decision: Decision, live: int) -> bool:
    """Let one slot meet the runs that have not ended. Returns whether it runs."""
    if not live or policy is Overlap.allow:
        return True
    if policy is Overlap.skip or (policy is Overlap.queue_one and live > 1):
        waits = "an earlier run has not ended" if policy is Overlap.skip else "a run waits for the earlier one already"
        decision.drop(FireOutcome.skipped, f"overlap: {waits}")
        return False
    decision.behind, decision.cancels = True, policy is Overlap.cancel_previous
    return True


def _span(seconds: int) -> str:
    for name, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds % size == 0 and seconds >= 2 * size:
            return f"{seconds // size} {name}"
    return f"{seconds:,} seconds"
