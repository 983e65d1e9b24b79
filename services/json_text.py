"""JSON that a person typed or a program sent, read strictly: nothing is dropped, rounded or guessed."""

import json
from collections import Counter
from typing import Any

from services import checks
from services.errors import InvalidInput

LONGEST = 4 * checks.LARGEST_BYTES  # characters, spaces and escapes among them
MOST_DIGITS = 400  # of a number; a float's may be many, and all of 2^53 are 16


def parsed(text: str, field: str) -> Any:
    """The value that the text says. Raises `InvalidInput`; what JSON can say and no database hold, others refuse."""
    if len(text) > LONGEST:
        raise InvalidInput(
            field, f"{len(text):,} characters are more than {LONGEST:,}; "
            "put large data into an artifact and pass its id"
        )  # fmt: skip
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise InvalidInput(field, "is empty; give JSON, such as {}")
    try:
        return _reader(field).decode(text)
    except RecursionError:
        raise InvalidInput(field, "is nested too deeply; flatten it") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise InvalidInput(field, f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at {where}") from None


def _reader(field: str) -> json.JSONDecoder:
    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(given)
        if len(found) < len(given):
            twice = next(name for name, n in Counter(name for name, _ in given).items() if n > 1)
            raise InvalidInput(field, f"{checks.shortened(twice)} stands there twice; keep one of them")
        return found

    def whole(digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise InvalidInput(field, f"a number of {len(digits):,} digits is beyond 2^53; give it as text")
        return int(digits)

    return json.JSONDecoder(object_pairs_hook=pairs, parse_int=whole)
