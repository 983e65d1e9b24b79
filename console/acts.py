"""What buttons do to one task: what each would mean for it, and doing it as the signed-in operator. Many: `bulk`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console import who
from models import Move, Role, Status, Task
from services import search, tasks
from services.errors import ServiceError


@dataclass(frozen=True)
class Act:
    """One thing that can be done to a task."""

    name: str  # of the button
    icon: str
    effect: Callable[[Task], str | None]  # what it would mean, as a sentence about "it"; None: nothing
    do: Callable[..., Task]  # task id, reason, and what else was asked for
    past: str  # to go on after "task #41"

    def may(self, task: Task) -> bool:
        """Whether its button is live for this task and this person."""
        return self.effect(task) is not None and who.may(Role.operator, owner=task.owner)


@dataclass(frozen=True)
class Result:
    """What became of it."""

    done: bool
    sentence: str


def _cancels(task: Task) -> str | None:
    if task.may(Move.cancel):
        return "It waits, and will be cancelled."
    return (
        "It runs, and will be asked to stop."
        if task.status is Status.running and not task.cancel_requested_at
        else None
    )


def _reruns(task: Task) -> str | None:
    if not task.may(Move.rerun) or task.deleted_at is not None:
        return None
    failed = task.status is Status.failed
    return f"It {'failed' if failed else 'was cancelled'}, and will run again from the beginning."


def _moves(task: Task) -> str | None:
    waits = task.status in (Status.pending, Status.queued)
    return f"It waits with priority {task.priority}, and will change its place in line." if waits else None


def _deletes(task: Task) -> str | None:
    ended = task.finished and task.deleted_at is None
    return "It has ended, and will be hidden from everybody. It can be restored." if ended else None


def _restores(task: Task) -> str | None:
    return "It will be shown again." if task.deleted_at is not None else None


def _releases(task: Task) -> str | None:
    held = task.held_reason and task.status is Status.pending
    return "It is held, and will be let go. This has no undo." if held else None


ACTS = {
    act.name: act
    for act in (
        Act("Cancel", "cancel", _cancels, lambda i, why: tasks.cancel(i, reason=why), "is cancelled"),
        Act("Rerun", "replay", _reruns, lambda i, why: tasks.rerun(i, reason=why), "is back in line"),
        Act(
            "Set priority", "low_priority", _moves,
            lambda i, why, priority: tasks.reprioritise(i, priority, reason=why), "has the priority",
        ),
        Act("Delete", "delete", _deletes, lambda i, why: tasks.delete(i, reason=why), "is hidden"),
        Act("Restore", "restore_from_trash", _restores, lambda i, why: tasks.restore(i, reason=why), "is shown again"),
        Act("Release", "lock_open", _releases, lambda i, why: tasks.release(i, reason=why), "is let go"),
    )
}  # fmt: skip


def dry_run(act: Act, task_id: int, priority: int | None = None) -> Result:
    """What it would mean as things stand now, and whether it can be done; the priority is the one that is wanted."""
    found = search.by_ids([task_id])
    if not found:
        return Result(False, "It is gone.")
    effect = act.effect(found[0])
    if effect is None:
        return Result(False, f"It is {found[0].status.value} by now: there is nothing to do.")
    if priority is not None and found[0].priority == priority:
        return Result(False, f"It has the priority {priority} already.")
    return Result(True, effect) if act.may(found[0]) else Result(False, "It belongs to somebody else.")


def perform(act: Act, task_id: int, reason: str | None, **more: Any) -> Result:
    """Do it, as the signed-in operator."""
    try:
        with who.acting():
            task = act.do(task_id, reason, **more)
    except ServiceError as refusal:
        return Result(False, str(refusal))
    if act.name == "Cancel" and task.status is Status.running:
        return Result(True, f"Task #{task_id} is asked to stop; it does at its next checkpoint.")
    return Result(True, f"Task #{task_id} {act.past}.")
