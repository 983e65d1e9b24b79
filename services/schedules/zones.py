"""Time zones by their IANA names."""

import difflib
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from services import checks
from services.errors import InvalidInput

OF_THE_MACHINE = {"localtime", "Factory", "posixrules"}


@lru_cache(1)
def names() -> frozenset[str]:
    """All that this machine's time zone database knows."""
    return frozenset(available_timezones() - OF_THE_MACHINE)


def checked(value: Any, field: str = "zone") -> str:
    """The name, if it is one. Raises `InvalidInput`, with names that are near."""
    if isinstance(value, str) and value in names():
        return value
    wanted = value if isinstance(value, str) else ""
    near = [name for name in names() if wanted and f"/{name}".lower().endswith(f"/{wanted}".lower())]
    near = near or difflib.get_close_matches(wanted[:64], names(), 3)
    hint = f"did you mean {' or '.join(sorted(near))}?" if near else "give an IANA name such as Europe/Berlin or UTC"
    raise InvalidInput(field, f"{checks.shortened(value)} is no time zone; {hint}")


def zone(name: str) -> ZoneInfo:
    """The zone of a checked name."""
    return ZoneInfo(name)
