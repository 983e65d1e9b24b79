"""The payload of a slot: its schedule's template, filled and checked against the type as it is now."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from services import catalog
from services.errors import NotFound
from services.schedules import template, zones


class Types:
    """The task types that one batch asks for, each looked up once: also those that there are not."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        """The type. Raises `NotFound`."""
        if name not in self._found:
            try:
                self._found[name] = catalog.find(name)
            except NotFound as error:
                self._found[name] = error
        if isinstance(self._found[name], NotFound):
            raise self._found[name]
        return self._found[name]


def payload_for(task_type: Any, row: Any, at: datetime) -> dict[str, Any]:
    """The payload of a slot. Raises `InvalidInput` where the type no longer takes it."""
    if template.has_places(row.payload):
        filled = template.rendered(row.payload, at.astimezone(zones.zone(row.zone)), row.last_completed_at)
        return task_type.payload(filled)
    return _fitting(task_type.name, json.dumps(row.payload), _Held(task_type))


class _Held:
    """A type as part of a cache's key: another one of the same name is another one."""

    def __init__(self, task_type: Any) -> None:
        self.task_type = task_type

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.task_type == other.task_type

    def __hash__(self) -> int:
        return hash(self.task_type.name)


@lru_cache(20_000)
def _fitting(_name: str, payload: str, held: _Held) -> dict[str, Any]:
    """Checked once for each version of the type: most schedules say the same each time."""
    return held.task_type.payload(json.loads(payload))
