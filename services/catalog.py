"""The task types: in a process that imported them, as they are; elsewhere as the workers wrote them down."""

import difflib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_jsonable_python
from sqlalchemy import select

from models import TypeRow, now, reading, transaction
from models.upsert import upsert
from services import checks
from services.errors import InvalidInput, NotFound

SEEN_FOR_S = 5.0


@dataclass(frozen=True)
class TaskType:
    """A task type and its contract."""

    name: str
    params: type[BaseModel]  # the signature: its fields are the payload's
    queue: str = "default"
    version: int = 1
    retries: int = 3
    timeout_s: float | None = None
    isolated: bool = False
    memory_mb: int | None = None
    preload: tuple[str, ...] = ()
    estimate_s: float | None = None
    doc: str = ""
    module: str = ""  # where its body is, for an isolated child to import

    def payload(self, given: dict[str, Any]) -> dict[str, Any]:
        """The payload as it is stored: checked against the signature, defaults filled in. Raises `InvalidInput`."""
        plain = checks.plain_json(given, "", objects=True)
        try:
            arguments = self.params.model_validate(given)
        except ValidationError as error:
            raise _unfit(self.name, error) from None
        try:
            payload = arguments.model_dump(mode="json")
        except Exception:  # values may fail in ways of their own
            raise _no_json(given) from None
        checks.plain_json(payload, "")  # also where a signature lets "nan" pass for a number
        if not plain:
            self._must_survive(arguments, payload)
        return payload

    def _must_survive(self, arguments: BaseModel, payload: dict[str, Any]) -> None:
        """Refuse Python values that the body would not get back from JSON as they were given."""
        try:
            again = self.params.model_validate(payload)
        except ValidationError as error:
            raise _unfit(self.name, error) from None
        for name in self.params.model_fields:
            given, back = getattr(arguments, name), getattr(again, name)
            if type(given) is not type(back) or (given == back) is not True:
                raise _no_json({name: given})

    @property
    def schema(self) -> dict[str, Any]:
        """The contract as JSON Schema."""
        return self.params.model_json_schema()

    @property
    def defaults(self) -> dict[str, Any]:
        """What applies where a task says nothing else."""
        return {
            "retries": self.retries,
            "timeout_s": self.timeout_s,
            "isolated": self.isolated,
            "estimate_s": self.estimate_s,
        }


@dataclass(frozen=True)
class DeclaredType:
    """A task type known by its row alone, as the console and the scheduler know it."""

    name: str
    queue: str
    version: int
    schema: dict[str, Any]
    defaults: dict[str, Any] = field(default_factory=dict)
    doc: str = ""

    @property
    def retries(self) -> int:
        """Further attempts after the first."""
        return int(self.defaults.get("retries", 3))

    @property
    def timeout_s(self) -> float | None:
        """Seconds an attempt may take."""
        return self.defaults.get("timeout_s")

    @property
    def estimate_s(self) -> float | None:
        """Seconds it is expected to take before there is a history."""
        return self.defaults.get("estimate_s")

    def payload(self, given: dict[str, Any]) -> dict[str, Any]:
        """The payload, checked against the declared schema. Raises `InvalidInput`."""
        import jsonschema

        checks.plain_json(given, "")
        wrong = next(jsonschema.Draft202012Validator(self.schema).iter_errors(given), None)
        if wrong is not None:
            raise _off_schema(self.name, wrong)
        filled = {n: s["default"] for n, s in self.schema.get("properties", {}).items() if "default" in s}
        return {**filled, **given}


_local: dict[str, TaskType] = {}
_declared: dict[str, DeclaredType] = {}
_read_at = float("-inf")


def register(task_type: TaskType) -> None:
    """Make a type known in this process; `@actor` does it."""
    _local[task_type.name] = task_type


def unregister(name: str) -> None:
    """Forget a type in this process: for tests."""
    _local.pop(name, None)


def local() -> dict[str, TaskType]:
    """The types whose code is here."""
    return dict(_local)


def find(name: str) -> TaskType | DeclaredType:
    """The type of this name. Raises `NotFound`, with names that are near."""
    if not isinstance(name, str):
        raise InvalidInput("type", f"{checks.shortened(name)} is not the name of a task type")
    found = _local.get(name) or declared().get(name) or declared(fresh=True).get(name)
    if found is None:
        known = sorted({*_local, *declared()})
        near = difflib.get_close_matches(name, known, 3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known) or 'none yet'}"
        raise NotFound(f"type: there is no task type {checks.shortened(name)}; {hint}")
    return found


def declared(fresh: bool = False) -> dict[str, DeclaredType]:
    """The types that workers have declared, read from the ledger every few seconds."""
    global _declared, _read_at
    if fresh or time.monotonic() - _read_at > SEEN_FOR_S:
        with reading() as session:
            rows = session.execute(select(TypeRow)).scalars().all()
        # A new one in place of the old: another thread may be looking
        _declared = {
            r.name: DeclaredType(r.name, r.queue, r.version, r.payload_schema, r.defaults, r.doc) for r in rows
        }
        _read_at = time.monotonic()
    return _declared


def declare() -> int:
    """Write this process's types down for everybody, as a worker does when it starts. Returns how many."""
    rows = [
        {
            "name": t.name, "version": t.version, "queue": t.queue, "payload_schema": t.schema,
            "defaults": t.defaults, "doc": t.doc, "seen_at": now(),
        }
        for t in _local.values()
    ]  # fmt: skip
    if rows:
        with transaction() as session:
            upsert(session, TypeRow, rows)
    return len(_local)


def _unfit(name: str, error: ValidationError) -> InvalidInput:
    first = error.errors(include_url=False)[0]
    pointer = _pointer(first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        return InvalidInput(pointer, f"{name} takes no such argument{more}")
    if first["type"] == "missing":
        return InvalidInput(pointer, f"{name} needs this argument{more}")
    return InvalidInput(pointer, f"{checks.shortened(first['input'])} does not fit {name}: {first['msg']}{more}")


def _off_schema(name: str, error: Any) -> InvalidInput:
    """The same sentences as `_unfit`, from what a JSON Schema finds."""
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        extra = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return InvalidInput(_pointer([*path, *extra[:1]]), f"{name} takes no such argument")
    if error.validator == "required":
        missing = sorted(set(error.validator_value) - set(error.instance))
        return InvalidInput(_pointer([*path, *missing[:1]]), f"{name} needs this argument")
    shown = checks.shortened(error.instance)
    return InvalidInput(_pointer(path), f"{shown} does not fit {name}: {error.message[:200]}")


def _pointer(path: Iterable[Any]) -> str:
    return "/" + "/".join(checks.step(str(part)) for part in path)


def _no_json(given: dict[str, Any]) -> InvalidInput:
    """The refusal that names the value in the way."""
    in_the_way = {name: value for name, value in given.items() if not _serialises(value)}
    try:
        checks.plain_json(in_the_way or given, "")
    except InvalidInput as refusal:
        return refusal
    return InvalidInput("payload", "holds a value that is not JSON; give text, numbers, lists or objects")


def _serialises(value: Any) -> bool:
    try:
        to_jsonable_python(value)
    except Exception:  # in ways of its own
        return False
    return True


def forget() -> None:
    """Read the declared types anew: for tests."""
    global _declared, _read_at
    _declared, _read_at = {}, float("-inf")
