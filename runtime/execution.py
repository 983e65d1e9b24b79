"""From a claimed task to its ending: everything that surrounds a body."""

import resource
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from runtime import capture, isolation, outcome
from runtime.errors import Disowned, GiveUp, TaskFailed
from runtime.held import Held
from runtime.interrupt import Gate
from runtime.link import LocalLink
from runtime.run import Run
from services import audit, catalog
from services.catalog import TaskType
from services.lifecycle.ending import Ending
from services.origin import Origin, origin

if TYPE_CHECKING:
    from runtime.process import WorkerProcess

log = structlog.get_logger(__name__)


def execute(process: "WorkerProcess", key: tuple[int, int]) -> None:
    """Run the body of a claimed task and hand over how it ended. Raises `TaskFailed` after a failed ending."""
    held = process.begin(key)
    if held is None:
        return  # handed back meanwhile
    try:
        ending = _carry_out(process, held)
    except BaseException as error:  # a bug, but the task must not stay held for ever
        log.exception("no ending could be made", task=held.claimed.id)
        why = f"its ending could not be made: {type(error).__name__}"
        ending = outcome.ended(held, GiveUp(why), process.name)
    process.finish(held, ending)
    if ending.error_class is not None:
        raise TaskFailed(f"#{held.claimed.id} {held.claimed.type}: {ending.outcome.value} with {ending.error_class}")


def _carry_out(process: "WorkerProcess", held: Held) -> Ending:
    task_type = catalog.local()[held.claimed.type]
    link = LocalLink(held, process.writer)
    extras: dict[str, Any] = {}
    try:
        # After a loss a task runs alone, so that the next death is its own and innocents are never blamed.
        if task_type.isolated or held.claimed.losses:
            result, extras = isolation.run(process.nursery, held, task_type, link)
        else:
            result = run_inline(held, task_type, link)
    except BaseException as error:
        if not isinstance(error, Disowned):
            process.said(held, error)
        return outcome.ended(held, error, process.name, **getattr(error, "child_costs", extras))
    return outcome.completed(held, result, process.name, **extras)


def run_inline(held: Held, task_type: TaskType, link: LocalLink) -> Any:
    """The body in this thread, interruptible while it is in it."""
    run = Run(held.claimed.id, held.claimed.tries + 1, link)
    arguments = validated(task_type, held.claimed.payload)
    gate = Gate()
    held.gate = gate
    try:
        with gate:
            held.checkpoint()
            return call_body(task_type, run, arguments, held.claimed.root_id)
    finally:
        held.gate = None


def validated(task_type: TaskType, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as the body's arguments; an old row may no longer fit the signature."""
    try:
        model = task_type.params.model_validate(payload)
    except ValueError as error:
        raise GiveUp(f"the payload no longer fits {task_type.name}: {error}") from None
    return {name: getattr(model, name) for name in type(model).model_fields}


def call_body(task_type: TaskType, run: Run, arguments: dict[str, Any], root_id: int | None = None) -> Any:
    """Call the body with what it says and enqueues attributed to its task."""
    body: Callable[..., Any] = bodies[task_type.name]
    token = origin.set(Origin(run.task_id, root_id))
    with audit.acting(audit.Actor("task", str(run.task_id))), capture.into(run):
        try:
            return body(run, **arguments)
        finally:
            origin.reset(token)


bodies: dict[str, Callable[..., Any]] = {}


def peak_rss_bytes() -> int:
    """The most memory this process had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
