"""A form drawn from a task type's contract. What it returns is checked by the services, whatever a browser sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import streamlit as st

from console.ui import say
from console.ui.schema import Field
from services import artifacts, filenames, json_text, wall

LEFT_OUT = object()


@dataclass(frozen=True)
class Upload:
    """A file that becomes an artifact when the form is sent."""

    file: Any

    def __repr__(self) -> str:
        return f"<number of {self.file.name!r} once it is stored>"


def draw(fields: Sequence[Field], given: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields, filled with what is given; returns the arguments that are to be said."""
    values = {}
    for field in fields:
        value = _draw(field, given.get(field.name, field.default), f"{key}/{field.name}")
        if value is not LEFT_OUT and (field.required or value != field.default):
            values[field.name] = value
    return values


def stored(values: Any) -> Any:
    """The same with every upload stored, and its number in its place."""
    if isinstance(values, Upload):
        values.file.seek(0)
        return artifacts.save(values.file.name, values.file).id
    if isinstance(values, dict):
        return {name: stored(value) for name, value in values.items()}
    return values


def standing_in(values: Any) -> Any:
    """The same with 1 in place of every upload: for checking before anything is stored. Raises `InvalidInput`."""
    if isinstance(values, Upload):
        filenames.checked(values.file.name)
        return 1
    return {n: standing_in(v) for n, v in values.items()} if isinstance(values, dict) else values


def _draw(field: Field, value: Any, key: str) -> Any:
    label = say.plain(field.label) + (" :red[*]" if field.required else "")
    shown: dict[str, Any] = {
        "label": label,
        "key": key,
        "help": say.plain(field.help) if field.help else None,
    }
    return _DRAWN[field.kind](field, value, shown)


def _text(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    said = st.text_input(**shown, value="" if value is None else str(value), max_chars=field.schema.get("maxLength"))
    return _none_or_left_out(field) if not said and (field.optional or field.default is None) else said


def _number(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    whole = field.kind == "whole"
    cast: Any = int if whole else float
    least, most = field.schema.get("minimum"), field.schema.get("maximum")
    start = cast(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    said = st.number_input(
        **shown, value=start, step=cast(1) if whole else None, format=None if whole else "%g",
        min_value=None if least is None else cast(least), max_value=None if most is None else cast(most),
    )  # fmt: skip
    return _none_or_left_out(field) if said is None else said


def _switch(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    return st.toggle(**shown, value=bool(value))


def _choice(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    at = field.choices.index(value) if value in field.choices else None
    said = st.selectbox(**shown, options=field.choices, index=at, placeholder="Choose")
    return _none_or_left_out(field) if said is None else said


def _choices(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    return st.multiselect(**shown, options=field.choices, default=[v for v in value or [] if v in field.choices])


def _date(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    try:
        start = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        start = None
    said = st.date_input(**shown, value=start, format="DD/MM/YYYY")
    return said.isoformat() if isinstance(said, date) else _none_or_left_out(field)


def _moment(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    try:
        start = datetime.fromisoformat(value).astimezone(say.zone()).replace(tzinfo=None) if value else None
    except (TypeError, ValueError, OverflowError):
        start = None
    said = st.datetime_input(**shown, value=start, format="DD/MM/YYYY")
    return wall.instant(said, say.zone(), f"/{field.name}").isoformat() if said else _none_or_left_out(field)


def _lines(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    text = "\n".join(map(str, value)) if isinstance(value, list) else ""
    said = st.text_area(**shown, value=text, height=90, placeholder="One a line")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines if lines or field.default is not None else _none_or_left_out(field)


def _json(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    said = st.text_area(**shown, value="" if value is None else say.pretty(value), height=110, placeholder="JSON")
    if not said.strip():
        return _none_or_left_out(field)
    return json_text.parsed(said, f"/{field.name}")


def _file(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    with st.container(border=True, gap="small"):
        number = st.number_input(
            **{**shown, "label": f"{shown['label']}: number of a stored file"},
            value=value,
            min_value=1,
            step=1,
        )
        upload = st.file_uploader(f"{shown['label']}: or store one now", key=f"{shown['key']}#file")
    if upload is not None:
        return Upload(upload)
    return _none_or_left_out(field) if number is None else number


def _object(field: Field, value: Any, shown: dict[str, Any]) -> Any:
    with st.container(border=True, gap="small"):
        st.markdown(f"**{shown['label']}**", help=shown["help"])
        return draw(field.parts, value if isinstance(value, dict) else {}, shown["key"])


def _none_or_left_out(field: Field) -> Any:
    return LEFT_OUT if field.default is None else None


_DRAWN = {
    "text": _text, "number": _number, "whole": _number, "switch": _switch, "choice": _choice, "choices": _choices,
    "date": _date, "moment": _moment, "lines": _lines, "json": _json, "file": _file, "object": _object,
}  # fmt: skip
