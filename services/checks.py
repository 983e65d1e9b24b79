"""One strict layer before either database, so that both refuse the same inputs with the same sentence."""

import json
import math
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum
from itertools import islice
from typing import Any, TypeVar

from models import now
from services.errors import InvalidInput

Kind = TypeVar("Kind", bound=Enum)

DEEPEST = 32
LARGEST_BYTES = 1024 * 1024
LARGEST_INT = 2**53  # beyond it JSON readers, browsers among them, round
LONGEST_AGO = timedelta(days=1)
FARTHEST = timedelta(days=5 * 366)

MOST_VALUES = LARGEST_BYTES // 2  # each takes a byte and a comma at least


def plain_json(value: Any, field: str, objects: bool = False) -> bool:
    """Refuse what JSON or either database cannot hold; `field` is the JSON pointer so far.

    With `objects`, values of other Python types are let pass (they are still to be turned into JSON); returns whether
    there were none. Raises `InvalidInput`.
    """
    walk = _Walk(objects)
    walk.enter(value, field, 1)
    return walk.plain


class _Walk:
    """One walk through a value: never deeper or longer than a stored one could be."""

    def __init__(self, objects: bool) -> None:
        self.objects = objects
        self.plain = True
        self._left = MOST_VALUES

    def enter(self, value: Any, field: str, depth: int) -> None:
        kind = type(value)
        if kind is str:
            text(value, field)
        elif kind is float:
            if not math.isfinite(value):
                raise InvalidInput(field, f"{value} is not a number JSON knows; give a finite one, or null")
        elif kind is int:
            if abs(value) > LARGEST_INT:
                raise InvalidInput(field, f"{_short(value)} is beyond 2^53; give it as text")
        elif kind is dict or kind is list or kind is tuple:
            self._enter_all(value, field, depth)
        elif value is not None and kind is not bool:
            self.plain = False
            if not self.objects:
                raise InvalidInput(
                    field, f"{_short(value)} ({kind.__name__}) is not JSON; give text, numbers, lists or objects"
                )

    def _enter_all(self, value: Any, field: str, depth: int) -> None:
        if depth > DEEPEST:
            raise InvalidInput(field[:200], f"nested deeper than {DEEPEST} levels; flatten it")
        self._left -= len(value)
        if self._left < 0:
            raise InvalidInput(
                field, f"more than {MOST_VALUES:,} values; put large data into an artifact and pass its id"
            )
        if type(value) is not dict:
            for n, item in enumerate(value):
                self.enter(item, f"{field}/{n}", depth + 1)
            return
        for key, item in value.items():
            if type(key) is not str:
                raise InvalidInput(field, f"the key {_short(key)} is not text; JSON objects have text keys only")
            text(key, field)
            self.enter(item, f"{field}/{key if key.isalnum() and len(key) <= 80 else step(key)}", depth + 1)


def step(key: str) -> str:
    """A key as one step of a JSON pointer that may be shown (RFC 6901, and shortened)."""
    shown = key if key.isprintable() else _short(key)
    return (shown if len(shown) <= 80 else shown[:79] + "…").replace("~", "~0").replace("/", "~1")


def text(value: str, field: str) -> None:
    """Refuse text that PostgreSQL cannot store. Raises `InvalidInput`."""
    if value.isascii():
        if "\0" in value:
            raise InvalidInput(field, "holds a NUL character; remove it")
        return
    if "\0" in value:
        raise InvalidInput(field, "holds a NUL character; remove it")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(field, "holds half a surrogate pair, which is not a character; remove it") from None


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dumped(value: Any, field: str, largest: int = LARGEST_BYTES) -> str:
    """The JSON text of a plain value. Raises `InvalidInput` where it is too large."""
    written = _encode(value)
    size = len(written) if written.isascii() else len(written.encode())
    if size > largest:
        raise InvalidInput(
            field, f"{size:,} bytes is more than {largest:,}; put large data into an artifact and pass its id"
        )
    return written


def some(values: Any, field: str, most: int) -> list[Any]:
    """A list, tuple, set or other series of at most so many. Raises `InvalidInput`."""
    if isinstance(values, str | bytes | bytearray | dict) or not isinstance(values, Iterable):
        raise InvalidInput(field, f"{_short(values)} is not a list; give one")
    taken = list(islice(values, most + 1))
    if len(taken) > most:
        raise InvalidInput(field, f"more than {most:,}; give fewer, in several steps if need be")
    return taken


def whole(value: Any, field: str, least: int, most: int) -> int:
    """A whole number in a range; neither text, nor 1.0, nor true. Raises `InvalidInput`."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidInput(field, f"{_short(value)} is not a whole number from {least} to {most:,}")
    return value


def seconds(value: Any, field: str, least: float, most: float) -> float:
    """A duration, as timedelta or seconds. Raises `InvalidInput`."""
    given = value.total_seconds() if isinstance(value, timedelta) else value
    if isinstance(given, bool) or not isinstance(given, int | float) or not least <= given <= most:
        raise InvalidInput(field, f"{_short(value)} is not a duration from {least:g} s to {most:,.0f} s")
    return float(given)


def instant(value: Any, field: str) -> datetime:
    """A point in time with its zone, not absurdly far away. Raises `InvalidInput`."""
    if not isinstance(value, datetime):
        raise InvalidInput(field, f"{_short(value)} is not a datetime; give one with its time zone")
    try:
        offset = value.utcoffset()
    except Exception:  # a zone of the caller's own making
        raise InvalidInput(field, "its time zone does not say how far it is from UTC; give another one") from None
    if offset is None:
        raise InvalidInput(field, f"{value.isoformat()} has no time zone; give one, such as datetime.now(UTC)")
    at = now()
    try:
        near = at - LONGEST_AGO <= value <= at + FARTHEST
    except OverflowError:
        near = False
    if not near:
        raise InvalidInput(
            field, f"{value.isoformat()} is out of range; give a time from yesterday to five years from now"
        )
    return value


def one_of(kind: type[Kind], value: Any, field: str) -> Kind:
    """One of an enumeration's values. Raises `InvalidInput`, with all of them."""
    values = [each.value for each in kind]
    if not isinstance(value, str) or value not in values:
        raise InvalidInput(field, f"{_short(value)} is none of {', '.join(values)}")
    return kind(value)


def name(value: Any, field: str, longest: int, empty: bool = False) -> str:
    """Text for one line that people read or that works as a key. Raises `InvalidInput`."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"{_short(value)} is not text")
    text(value, field)
    if not empty and not value.strip():
        raise InvalidInput(field, "is empty; give at least one character, or leave it out")
    if len(value) > longest:
        raise InvalidInput(field, f"{len(value):,} characters are more than {longest}; shorten it")
    if any(unicodedata.category(c) in _NOT_IN_A_LINE or c in _BIDI for c in value):
        raise InvalidInput(field, f"{_short(value)} holds control characters; remove them")
    return value


_NOT_IN_A_LINE = frozenset({"Cc", "Zl", "Zp"})  # controls; separators of lines and paragraphs
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _short(value: Any) -> str:
    try:
        shown = repr(value[:100] if isinstance(value, str | bytes) else value)
    except ValueError:  # an int of thousands of digits
        shown = "this value"
    except Exception:  # an object whose own words fail
        shown = f"this {type(value).__name__}"
    return shown if len(shown) <= 80 else shown[:77] + "…"


shortened = _short
