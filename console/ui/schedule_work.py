"""The part of the form that says what: the type, and its arguments as a template."""

from typing import Any

import streamlit as st

from console.ui import form, say, schema
from console.ui.schedule_spots import Spots
from services import catalog, json_text
from services.errors import InvalidInput
from services.schedules import template

HOLD_TEXT = ("text", "lines", "json")  # kinds of fields that can hold a place such as {{ slot }}
PLACES = (
    "A text may hold `{{ slot }}`, the time that the run is for, and `{{ last_completed_at }}`, when the last run "
    "completed. To put one where the form asks for a date or a number, write the arguments as JSON."
)


def draw(given: dict[str, Any], key: str, spots: Spots) -> dict[str, Any]:
    """Draw type and arguments; returns `type` and `payload`."""
    types = catalog.declared()
    old = given.get("type")
    names = sorted({*types, *([old] if old else [])})
    name = st.selectbox(
        "Task type", names, names.index(old) if old else None, key=f"{key}#type", placeholder="Choose what is to run"
    )
    spots.here("type")
    if name is None:
        spots.wrong["type"] = "type: is missing; choose what is to run"
        return {"type": None, "payload": {}}
    payload = given.get("payload") or {} if name == old else {}
    return {"type": name, "payload": _arguments(types.get(name), name, payload, f"{key}/{name}", spots)}


def _arguments(declared: Any, name: str, payload: dict[str, Any], key: str, spots: Spots) -> Any:
    asked = [] if declared is None else schema.fields(declared.schema)
    if declared is None:
        st.caption(f"No worker has declared {say.plain(name)} lately; its arguments are shown as they are.")
    elif declared.doc:
        st.caption(say.plain(declared.doc.splitlines()[0]))
    fits = declared is not None and _fits(asked, payload)
    as_json = st.toggle("Write the arguments as JSON", value=not fits, key=f"{key}#json")
    try:
        if as_json:
            text = st.text_area("Arguments", say.pretty(payload), key=f"{key}#text", height=200)
            return json_text.parsed(text, "payload")
        if not asked:
            st.caption("It takes no arguments.")
        return form.draw(asked, payload, key)
    except InvalidInput as refusal:
        spots.wrong["payload"] = str(refusal)
        return payload
    finally:
        spots.here("payload")
        st.caption(PLACES)
        if "payload" in spots.wrong:
            spots.say("payload", spots.wrong["payload"])


def _fits(asked: list[schema.Field], payload: dict[str, Any]) -> bool:
    """Whether drawn fields can show all of it without a loss."""
    kinds = {field.name: field.kind for field in asked}
    return all(
        name in kinds and (kinds[name] in HOLD_TEXT or not template.has_places({name: value}))
        for name, value in payload.items()
    )
