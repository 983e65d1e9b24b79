"""What an act means for one task as it stands, and how many such cases are said."""

from collections import Counter
from collections.abc import Callable
from enum import Enum, StrEnum, unique
from typing import Any

from models import FINISHED, Move, Status

WAITING = Move.cancel.sources


@unique
class Act(StrEnum):
    """What can be done with many tasks."""

    cancel = "cancel"
    rerun = "rerun"
    reprioritise = "reprioritise"
    delete = "delete"
    restore = "restore"
    release = "release"
    hold = "hold"  # what a release is taken back by


@unique
class Effect(Enum):
    """What becomes of a task: whether it changes, what is said before, and after."""

    cancelled = True, "will be cancelled", "were cancelled"
    asked = True, "will be asked to stop", "were asked to stop"
    again = True, "will run again", "are back in line"
    moved = True, "will change their place in line", "have the priority"
    hidden = True, "will be hidden from everybody", "were hidden"
    shown = True, "will be shown again", "are shown again"
    let_go = True, "are held and will be let go", "were let go"
    kept_back = True, "will be held until somebody releases them", "are held until somebody releases them"
    asked_before = False, "were asked to stop already", "were asked to stop already"
    ended = False, "are left alone", "were left alone"
    lives = False, "have not ended and are left alone", "had not ended and were left alone"
    completed = False, "completed and are left alone", "had completed and were left alone"
    deleted = False, "are deleted and are left alone", "were deleted and left alone"
    not_deleted = False, "are not deleted and are left alone", "were not deleted, and were left alone"
    key_taken = False, "share a unique key with a live task and are left alone", "were left alone for their unique key"
    waits_no_more = False, "no longer wait and are left alone", "no longer waited and were left alone"
    not_held = False, "are not held and are left alone", "were not held, and were left alone"
    held_already = False, "are held already", "were held already"
    begun = False, "have started or ended by now and are left alone", "had started or ended and were left alone"
    there_already = False, "have that priority already", "had that priority already"
    not_yours = False, "belong to others and are left alone", "belong to others and were left alone"
    gone = False, "are gone", "were gone"
    meanwhile = False, "have changed meanwhile and are left alone", "had changed meanwhile and were left alone"

    @property
    def changes(self) -> bool:
        """Whether the task changes at all."""
        return self.value[0]


Counts = Counter[tuple[Status | None, Effect]]


def effect(act: Act, row: Any, priority: int | None = None) -> Effect:
    """What the act means for a task (`row` has its columns); the priority is the one that is wanted, if known."""
    return _EFFECTS[act](row, priority)


def sentences(counts: Counts, done: bool = False) -> list[tuple[int, str]]:
    """How many, and what is said of them: `(312, "queued will be cancelled")`; what changes comes first."""
    merged: Counter[tuple[str, Effect]] = Counter()
    for (status, what), n in counts.items():
        merged[_subject(status, what), what] += n
    places = list(Effect)
    order = sorted(merged.items(), key=lambda item: (not item[0][1].changes, -item[1], places.index(item[0][1])))
    return [(n, f"{subject} {_of(n, str(what.value[2 if done else 1]))}".strip()) for (subject, what), n in order if n]


_OF_ONE = {
    "are": "is", "were": "was", "have": "has", "share": "shares", "belong": "belongs", "wait": "waits", "their": "its",
    "them": "it",
}  # fmt: skip


def _of(n: int, words: str) -> str:
    """Words that are written of several, said of so many."""
    return " ".join(_OF_ONE.get(word, word) for word in words.split()) if n == 1 else words


def _subject(status: Status | None, what: Effect) -> str:
    if what is Effect.ended:
        return "finished"
    if what is Effect.let_go:
        return ""
    return status.value if status is not None and (what.changes or what is Effect.asked_before) else ""


def _cancel(row: Any, _: int | None) -> Effect:
    if row.status in WAITING:
        return Effect.cancelled
    if row.status is not Status.running:
        return Effect.ended
    return Effect.asked if row.cancel_requested_at is None else Effect.asked_before


def _rerun(row: Any, _: int | None) -> Effect:
    if row.status not in FINISHED:
        return Effect.lives
    if row.status is Status.completed:
        return Effect.completed
    return Effect.again if row.deleted_at is None else Effect.deleted


def _reprioritise(row: Any, priority: int | None) -> Effect:
    if row.status not in WAITING:
        return Effect.waits_no_more
    return Effect.there_already if row.priority == priority else Effect.moved


def _delete(row: Any, _: int | None) -> Effect:
    if row.status not in FINISHED:
        return Effect.lives
    return Effect.hidden if row.deleted_at is None else Effect.deleted


def _restore(row: Any, _: int | None) -> Effect:
    return Effect.not_deleted if row.deleted_at is None else Effect.shown


def _release(row: Any, _: int | None) -> Effect:
    return Effect.let_go if row.held_reason is not None and row.status is Status.pending else Effect.not_held


def _hold(row: Any, _: int | None) -> Effect:
    if row.status not in WAITING or row.started_at is not None or row.tries or row.losses:  # or it is tried again
        return Effect.begun
    return Effect.held_already if row.held_reason is not None else Effect.kept_back


_EFFECTS: dict[Act, Callable[[Any, int | None], Effect]] = {
    Act.cancel: _cancel,
    Act.rerun: _rerun,
    Act.reprioritise: _reprioritise,
    Act.delete: _delete,
    Act.restore: _restore,
    Act.release: _release,
    Act.hold: _hold,
}
