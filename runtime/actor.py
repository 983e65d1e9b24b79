"""`@actor`: a typed function becomes a task type. Its signature is the contract."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_type_hints

import dramatiq
from pydantic import BaseModel, ConfigDict, create_model

from models import Task, now
from runtime import execution
from runtime.broker import ledger_broker
from runtime.errors import TaskFailed
from services import catalog, checks, tasks
from services.catalog import TaskType
from services.errors import InvalidInput
from services.options import Options


class Actor(dramatiq.Actor):
    """A task type: `enqueue` it, or call its `body` in a test without any queue."""

    body: Callable[..., Any]
    type: TaskType

    def enqueue(self, /, **arguments: Any) -> Task:
        """Accept a task with these arguments. Raises `ServiceError` before anything is written."""
        return tasks.enqueue(self.actor_name, arguments)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> list[int]:
        """Accept many at once; returns their ids."""
        return tasks.enqueue_many(self.actor_name, payloads)

    def with_options(self, /, **options: Any) -> "Prepared":
        """The same with options: priority, needs, run_at, unique_key, … (see `services.options.Options`)."""
        return Prepared(self.actor_name, Options(**options))

    def send(self, /, **arguments: Any) -> Task:  # type: ignore[override]
        """Dramatiq's word for `enqueue`: no work can start without a row."""
        return self.enqueue(**arguments)

    def send_with_options(  # type: ignore[override]
        self, /, *, kwargs: dict[str, Any] | None = None, delay: timedelta | int | None = None, **options: Any
    ) -> Task:
        """Dramatiq's word for `with_options(…).enqueue(…)`; `delay` is in milliseconds or a timedelta."""
        if delay is not None:
            options["run_at"] = _after(delay)
        return self.with_options(**options).enqueue(**(kwargs or {}))


def _after(delay: timedelta | int) -> datetime:
    try:
        return now() + (delay if isinstance(delay, timedelta) else timedelta(milliseconds=delay))
    except (TypeError, OverflowError):
        shown = checks.shortened(delay)
        raise InvalidInput("delay", f"{shown} is no delay; give milliseconds, or a timedelta") from None


class Prepared:
    """A task type with options, ready to be enqueued any number of times."""

    def __init__(self, name: str, options: Options) -> None:
        self._name = name
        self._options = options

    def with_options(self, /, **options: Any) -> "Prepared":
        """The same with further options."""
        return Prepared(self._name, replace(self._options, **options))

    def enqueue(self, /, **arguments: Any) -> Task:
        """Accept a task with these arguments."""
        return tasks.enqueue(self._name, arguments, self._options)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> list[int]:
        """Accept many at once; returns their ids."""
        return tasks.enqueue_many(self._name, payloads, self._options)


def actor(
    fn: Callable[..., Any] | None = None,
    *,
    queue: str = "default",
    retries: int = 3,
    timeout: timedelta | None = None,
    isolated: bool = False,
    memory_mb: int | None = None,
    preload: tuple[str, ...] = (),
    estimate_s: float | None = None,
    version: int = 1,
) -> Any:
    """Make a task type of a function `(run, **typed arguments)`.

    `retries`: further attempts after one that ended in an error. `isolated`: run in a process of its own, with at
    most `memory_mb`, forked from a server that has imported the modules of `preload`. `estimate_s`: the expected
    duration until there is history.
    """

    def make(body: Callable[..., Any]) -> Actor:
        name = body.__name__
        task_type = TaskType(
            name, _params(body), queue=queue, version=version, retries=retries,
            timeout_s=timeout.total_seconds() if timeout else None, isolated=isolated, memory_mb=memory_mb,
            preload=preload, estimate_s=estimate_s, doc=inspect.getdoc(body) or "", module=body.__module__,
        )  # fmt: skip
        made = _dramatiq_actor(name, queue)
        made.body, made.type = body, task_type
        made.__doc__ = body.__doc__
        execution.bodies[name] = body
        catalog.register(task_type)
        return made

    return make(fn) if fn is not None else make


def _dramatiq_actor(name: str, queue: str) -> Actor:
    broker = ledger_broker()

    def perform(task_id: int, epoch: int) -> None:
        if broker.process is None:
            raise RuntimeError(f"call {name}.body(run, …) in a test, or {name}.enqueue(…)")
        execution.execute(broker.process, (task_id, epoch))

    # Its priority is never set: Dramatiq would order only what this process happens to hold.
    options = {"throws": (TaskFailed,)}
    return Actor(perform, broker=broker, actor_name=name, queue_name=queue, priority=0, options=options)


def _params(body: Callable[..., Any]) -> type[BaseModel]:
    """The signature after `run` as a pydantic model that allows nothing else."""
    hints = get_type_hints(body, include_extras=True)
    _, *parameters = inspect.signature(body).parameters.values()
    fields: dict[str, Any] = {}
    for one in parameters:
        if one.kind not in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
            raise TypeError(f"{body.__name__}: {one} cannot be part of a payload; name every argument")
        if one.name not in hints:
            raise TypeError(f"{body.__name__}: give the argument {one.name} a type; it is part of the contract")
        fields[one.name] = (hints[one.name], ... if one.default is one.empty else one.default)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    return create_model(body.__name__, __config__=config, __doc__=inspect.getdoc(body), **fields)
