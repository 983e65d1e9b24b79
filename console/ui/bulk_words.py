"""How bulk acts are called on buttons and while they run."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.ui import say
from services.bulk import Act, Counts, sentences
from services.task_filter import TaskFilter


@dataclass(frozen=True)
class Words:
    """One act's names."""

    name: str  # on a button
    icon: str
    doing: str
    undo: str  # what taking it back means, or that it cannot be


WORDS = {
    Act.cancel: Words(
        "Cancel", "cancel", "Cancelling",
        "Undo reruns those that had not started: from the beginning, at once, also where they waited for their time. "
        "What was running is not brought back.",
    ),
    Act.rerun: Words("Rerun", "replay", "Rerunning", "This has no undo. What runs again can be cancelled."),
    Act.reprioritise: Words(
        "Set priority", "low_priority", "Setting the priority", "Undo gives each the priority it had."
    ),
    Act.delete: Words("Delete", "delete", "Deleting", "Undo shows them again."),
    Act.restore: Words("Restore", "restore_from_trash", "Restoring", "Undo hides them again."),
    Act.release: Words(
        "Release", "lock_open", "Releasing",
        "They start as soon as a worker is free. Undo holds again those that have not started by then.",
    ),
    Act.hold: Words("Hold", "lock", "Holding", "Undo releases them."),
}  # fmt: skip


_TAKEN_BACK = {  # by what takes it back
    Act.rerun: "Undo the cancellation", Act.reprioritise: "Undo the new priority", Act.restore: "Undo the deletion",
    Act.delete: "Undo the restoring", Act.hold: "Undo the release", Act.release: "Undo the hold",
}  # fmt: skip


def lines(counts: Counts, done: bool = False) -> list[str]:
    """`**312** queued will be cancelled`, a line each, as Markdown."""
    return [f"**{n:,}** {say.plain(words)}" for n, words in sentences(counts, done)]


def headline(act: Act, which: object, undoes: bool) -> str:
    """A dialog's title."""
    if undoes:
        return _TAKEN_BACK[act]
    name = WORDS[act].name
    name += " of" if act is Act.reprioritise else ""
    if isinstance(which, Sequence):
        return f"{name} task #{which[0]}" if len(which) == 1 else f"{name} {say.many(len(which), 'task')}"
    of_error = isinstance(which, TaskFilter) and {*which.asked()} <= {"status", "error"} and which.error
    return f"{name} all with this error" if of_error else f"{name} all that match"
