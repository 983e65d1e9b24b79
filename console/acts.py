"""What the console's buttons do to tasks: what each would mean for a task, and doing it as the signed-in operator."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import structlog

from console import who
from models import Move, Role, Status, Task
from services import search, tasks
from services.errors import ServiceError

log = structlog.get_logger(__name__)

NOT_YOURS = "belong to others and are left alone"


@dataclass(frozen=True)
class Act:
    """One thing that can be done to one task or to many."""

    name: str  # of the button
    icon: str
    effect: Callable[[Task], str | None]  # what it would mean, to go on after "3 tasks"; None: nothing
    do: Callable[..., Any]  # task id, reason, and what else was asked for
    past: str
    refused: str = "cannot be changed any more and are left alone"

    def may(self, task: Task) -> bool:
        """Whether its button is live for this task and this person."""
        return self.effect(task) is not None and who.may(Role.operator, owner=task.owner)


@dataclass(frozen=True)
class Result:
    """What became of one task."""

    task_id: int
    done: bool
    sentence: str


def _cancels(task: Task) -> str | None:
    if task.may(Move.cancel):
        return "wait and will be cancelled"
    return "run and will be asked to stop" if task.status is Status.running and not task.cancel_requested_at else None


def _reruns(task: Task) -> str | None:
    if not task.may(Move.rerun) or task.deleted_at is not None:
        return None
    return f"{task.status.value} and will run again"


def _moves(task: Task) -> str | None:
    return "wait and change their place in line" if task.status in (Status.pending, Status.queued) else None


def _deletes(task: Task) -> str | None:
    return "have ended and will be hidden from everybody" if task.finished and task.deleted_at is None else None


def _restores(task: Task) -> str | None:
    return "will be shown again" if task.deleted_at is not None else None


def _releases(task: Task) -> str | None:
    return "are held and will be let go" if task.held_reason and task.status is Status.pending else None


ACTS = {
    act.name: act
    for act in (
        Act("Cancel", "cancel", _cancels, lambda i, why: tasks.cancel(i, reason=why), "cancelled, or asked to stop"),
        Act("Rerun", "replay", _reruns, lambda i, why: tasks.rerun(i, reason=why), "back in line"),
        Act(
            "Set priority", "low_priority", _moves,
            lambda i, why, priority: tasks.reprioritise(i, priority, reason=why), "given the priority",
        ),
        Act("Delete", "delete", _deletes, lambda i, why: tasks.delete(i, reason=why), "hidden"),
        Act("Restore", "restore_from_trash", _restores, lambda i, why: tasks.restore(i, reason=why), "shown again"),
        Act("Release", "lock_open", _releases, lambda i, why: tasks.release(i, reason=why), "let go"),
    )
}  # fmt: skip


def dry_run(act: Act, ids: Iterable[int]) -> tuple[list[int], Counter[str]]:
    """The tasks it would change, as they stand now; and, for each effect, how many."""
    ids = list(ids)
    found, effects = [], Counter[str]()
    rows = search.by_ids(ids)
    for task in rows:
        effect = act.effect(task)
        if effect is not None and not who.may(Role.operator, owner=task.owner):
            effects[NOT_YOURS] += 1
        else:
            effects[effect or act.refused] += 1
            found += [task.id or 0] if effect else []
    if len(rows) < len(ids):
        effects["are gone"] += len(ids) - len(rows)
    return found, effects


def perform(act: Act, ids: Iterable[int], reason: str | None, **more: Any) -> list[Result]:
    """Do it to each, as the signed-in operator; one that is refused does not keep the others from it."""
    results = []
    with who.acting():
        for task_id in ids:
            try:
                act.do(task_id, reason, **more)
                results.append(Result(task_id, True, act.past))
            except ServiceError as refusal:
                results.append(Result(task_id, False, str(refusal)))
    return results
