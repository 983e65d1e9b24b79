"""Reading results whose shape may differ from the contract: what is missing or of another kind reads as empty."""

from typing import Any

from analytics.report import figures
from analytics.report.text import clean


def mapping(value: Any, key: str) -> dict[str, Any]:
    """The object under `key`, or an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def rows(value: Any, key: str) -> list[dict[str, Any]]:
    """The objects of the list under `key`; whatever else stands in it is left out."""
    found = value.get(key) if isinstance(value, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def sentences(value: Any, key: str) -> list[str]:
    """The non-empty texts of the list under `key`; a lone text counts as a list of one."""
    found = value.get(key) if isinstance(value, dict) else None
    if isinstance(found, str):
        found = [found]
    texts = (
        [clean(item, 600) for item in found if isinstance(item, str | int | float)] if isinstance(found, list) else []
    )
    return [text for text in texts if text]


def number(value: Any, key: str) -> float | None:
    """The finite number under `key`."""
    return figures.real(value.get(key)) if isinstance(value, dict) else None


def word(value: Any, key: str, instead: str = figures.MISSING) -> str:
    """The text under `key` (numbers are written plainly), or `instead`."""
    found = value.get(key) if isinstance(value, dict) else None
    if found is None or isinstance(found, dict | list):
        return instead
    return clean(found, 300) or instead
