"""Texts that are clean from the moment the thing they belong to exists."""

from dataclasses import fields
from typing import Any

from analytics.report.text import clean


class Clean:
    """A dataclass whose texts, also those inside lists, go through `text.clean`; lists become tuples."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            object.__setattr__(self, each.name, _cleaned(getattr(self, each.name)))


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, tuple) and hasattr(value, "_make"):  # a named tuple stays one
        return type(value)(*map(_cleaned, value))
    if isinstance(value, list | tuple):
        return tuple(_cleaned(item) for item in value)
    return value
