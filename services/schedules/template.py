"""Payload templates: `{{ slot }}` and `{{ last_completed_at }}` in texts, and nothing that can execute."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from services import checks
from services.errors import InvalidInput

NAMES = ("slot", "last_completed_at")
_PLACE = re.compile(r"\{\{\s*(slot|last_completed_at)\s*\}\}")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}")


def checked(value: Any, field: str = "payload") -> dict[str, Any]:
    """The template, if it holds only JSON and places that are known. Raises `InvalidInput`."""
    if not isinstance(value, dict):
        raise InvalidInput(field, f"{checks.shortened(value)} is not an object with the type's arguments")
    checks.plain_json(value, field)
    checks.dumped(value, field)
    _map(value, field, _check)
    return value


def _check(text: str, field: str) -> str:
    if _BRACES.search(_PLACE.sub("", text)):
        raise InvalidInput(
            field, f"{checks.shortened(text)} holds braces that mean nothing here; known are "
            + " and ".join(f"{{{{ {name} }}}}" for name in NAMES)
        )  # fmt: skip
    return text


def has_places(template: dict[str, Any]) -> bool:
    """Whether anything in it changes from fire to fire."""
    found: list[bool] = []
    _map(template, "", lambda text, _: found.append(_PLACE.search(text) is not None))
    return any(found)


def rendered(template: dict[str, Any], slot: datetime, last_completed_at: datetime | None) -> dict[str, Any]:
    """The payload for a slot: instants in ISO 8601.

    A text that is one place becomes its value: null where nothing has completed yet; within a text that is "".
    """
    values = {
        "slot": slot.isoformat(timespec="seconds"),
        "last_completed_at": last_completed_at and last_completed_at.isoformat(timespec="seconds"),
    }

    def fill(text: str, _: str) -> Any:
        whole = _PLACE.fullmatch(text.strip())
        return values[whole[1]] if whole else _PLACE.sub(lambda m: values[m[1]] or "", text)

    return _map(template, "", fill)


def _map(value: Any, field: str, act: Callable[[str, str], Any]) -> Any:
    """The same value with each of its texts put through `act(text, pointer)`."""
    if isinstance(value, str):
        return act(value, field)
    if isinstance(value, dict):
        return {name: _map(inner, f"{field}/{name}", act) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_map(inner, f"{field}/{n}", act) for n, inner in enumerate(value)]
    return value
