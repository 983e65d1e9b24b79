"""Figures, times and people's text in words. Text of others never becomes markup: `plain` sees to it."""

import json
import pprint
import re
from datetime import UTC, datetime, tzinfo
from html import escape
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from models import now

_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>:$&^=])")
_ADDRESS = re.compile(r"(?i)(?<=http)(?=s?\\://)|(?<=www)(?=\\\.)|(?=@)")  # in escaped text
_NOTHING = ":small[]"  # draws nothing, and is copied with nothing


def zone() -> ZoneInfo:
    """The reader's time zone: of their account, else the browser's, else UTC."""
    name = st.session_state.get("_time_zone") or st.context.timezone
    return ZoneInfo(name) if name in _zones() else ZoneInfo("UTC")


@st.cache_resource
def _zones() -> set[str]:
    return available_timezones()


def plain(text: object) -> str:
    """Text for a place that reads Markdown: shown as it is, on one line; addresses in it do not become links."""
    return _ADDRESS.sub(_NOTHING, _MARKUP.sub(r"\\\1", " ".join(visible(str(text)).split())))


def sentence(refusal: object) -> str:
    """A refusal as it stands by itself: from a capital on, unless it begins with a field's name, as in `title: …`."""
    text = str(refusal)
    first = text.split(" ", 1)[0].rstrip(";,.")
    return plain(text[:1].upper() + text[1:] if first.isalpha() else text)


def markup(text: object) -> str:
    """Text for a place that reads HTML: shown as it is."""
    return escape(visible(str(text)))


def visible(text: str) -> str:
    """Text without characters that would reorder or hide what stands beside them."""
    return "".join("�" if c in _UNSEEN else c for c in text)


_UNSEEN = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\0")


def short(text: str, most: int = 80) -> str:
    """The beginning of a text."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def duration(seconds: float | None) -> str:
    """`40 ms`, `3.9 s`, `4 m 12 s`, `2 h 5 m`, `3 d 4 h`."""
    if seconds is None:
        return "–"
    seconds = max(0.0, seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest} s" if rest else f"{minutes} m"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} m" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def ago(moment: datetime | None) -> str:
    """`just now`, `12 s ago`, `3 h 4 m ago`."""
    if moment is None:
        return "–"
    seconds = (now() - moment).total_seconds()
    if seconds < 1:
        return "just now"
    return f"{duration(float(int(seconds))).replace('.0 s', ' s')} ago"


def at(moment: datetime | None, where: tzinfo | None = None) -> str:
    """The reader's clock: `22:12:39` today, else `21 Nov, 22:12:39`, with the year where it is another."""
    if moment is None:
        return "–"
    where = where or zone()
    local, today = moment.astimezone(where), now().astimezone(where)
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {local:%b}{year}, {local:%H:%M:%S}"


def exact(moment: datetime) -> str:
    """The instant itself, for whoever asks: `2026-11-22 11:55:18.123 UTC`."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d} UTC"


def size(count: float | None) -> str:
    """Bytes: `812 B`, `3.4 MB`."""
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError(count)


def many(count: int, one: str, several: str | None = None) -> str:
    """`1 task`, `12,000 tasks`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def pretty(value: object, indent: int | None = 2) -> str:
    """JSON for reading."""
    return json.dumps(value, indent=indent, ensure_ascii=False, default=str)


def python(type_name: str, arguments: dict, options: dict | None = None) -> str:
    """The call that would enqueue this."""
    with_options = ""
    if options:
        with_options = f".with_options({', '.join(f'{name}={_literal(value)}' for name, value in options.items())})"
    lines = "".join(f"    {name}={_literal(value)},\n" for name, value in arguments.items() if name.isidentifier())
    call = f"({chr(10)}{lines})" if lines else "()"
    return f"from actors.{type_name} import {type_name}\n\n{type_name}{with_options}.enqueue{call}"


def _literal(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 100 else pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n    ")
