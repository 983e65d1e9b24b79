"""Writing down what the drawer says: of a schedule that is there, only what was changed in it."""

from typing import Any

from console import who
from console.ui import form
from models import Schedule
from services import schedules


def changed(first: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """What a person changed. What a field shows a little otherwise than it is stored counts as left alone."""
    found = {name: value for name, value in said.items() if name not in first or value != first[name]}
    return {**found, "payload": said["payload"]} if "type" in found else found


def save(
    kind: str, row: Schedule | None, first: dict[str, Any], said: dict[str, Any], on: bool, reason: str | None
) -> Schedule:
    """The schedule as it is then. Raises `ServiceError`, `Conflict` among them."""
    with who.acting():
        if kind == "edit" and row is not None:
            changes = changed(first, said)
            if "payload" in changes:
                changes["payload"] = form.stored(changes["payload"])
            return schedules.update(row.id, version=row.version, reason=reason, **changes) if changes else row
        fields = dict(said)
        if row is not None:  # what the form does not ask for
            fields["project"] = row.project
        name, task_type, payload = (fields.pop(key) for key in ("name", "type", "payload"))
        return schedules.create(name, task_type, form.stored(payload), enabled=on, **fields)
