"""The drawer in which a schedule is made, changed or copied. It stays open, with all that was typed, until it is saved
or closed: a refusal is said at its field, and loses nothing."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import streamlit as st

from console import pages, schedule_reads
from console.ui import say, schedule_conflict, schedule_policies, schedule_when, schedule_work, tell
from console.ui.schedule_saving import save
from console.ui.schedule_spots import Spots
from models import Schedule
from services import schedules
from services.errors import Conflict, InvalidInput, ServiceError
from services.schedules import spec

OPEN = "_schedule_form"
TITLES = {
    "new": ("New schedule", "add"), "edit": ("Edit", "edit"), "duplicate": ("Copy of", "content_copy"),
}  # fmt: skip
_number = count(1)


@dataclass
class Opened:
    """One opening of the drawer."""

    kind: str
    row: Schedule | None  # as it was read
    key: str  # of its widgets
    first: dict[str, Any] | None = None  # what the form said before anybody touched it
    refused: ServiceError | None = None
    again: bool = field(default=False)  # save at the next drawing

    @property
    def given(self) -> dict[str, Any]:
        """What the form starts with."""
        if self.row is None:
            return {}
        given = spec.of_row(self.row)
        return {**given, "name": f"Copy of {given['name']}"[:200]} if self.kind == "duplicate" else given


def ask(kind: str, schedule_id: int | None = None) -> None:
    """For a button's callback: open it at the next full run."""
    try:
        row = None if schedule_id is None else schedules.get(schedule_id)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return
    st.session_state[OPEN] = Opened(kind, row, f"schedule_form{next(_number)}")
    st.rerun()


def show_if_asked() -> None:
    """At the end of a page."""
    opened: Opened | None = st.session_state.get(OPEN)
    if opened is None:
        return None
    if opened.first is not None and f"{opened.key}#name" not in st.session_state:  # the page was left meanwhile
        return close()
    title, icon = TITLES[opened.kind]
    named = "" if opened.row is None else f" {say.short(say.visible(opened.row.name), 50)}"
    st.dialog(
        say.plain(title + named), icon=f":material/{icon}:", position="right", width="large", on_dismiss=close
    )(_body)(opened)  # fmt: skip
    return None


def close() -> None:
    """Forget what was typed."""
    st.session_state.pop(OPEN, None)


def _body(opened: Opened) -> None:
    spots = Spots()
    said = _fields(opened, spots)
    if opened.first is None:
        opened.first = said
    on = True
    if opened.kind != "edit":
        on = st.toggle("Switch it on at once", value=True, key=f"{opened.key}#on")
    why = None
    if opened.kind == "edit":
        why = st.text_input("Reason", key=f"{opened.key}#reason", max_chars=500, placeholder="Shown in the audit trail")
    end = st.container()
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Discard", key="schedule_discard", on_click=_discard)
        label = "Save changes" if opened.kind == "edit" else "Create schedule"
        clicked = st.button(label, key="schedule_save", type="primary", shortcut="Ctrl+Enter")
    if clicked or opened.again:
        opened.again = False
        _save(opened, said, on, (why or "").strip() or None, spots)
    with end:
        _refusal(opened, said, spots)


def _fields(opened: Opened, spots: Spots) -> dict[str, Any]:
    given, key = opened.given, opened.key
    said: dict[str, Any] = {"name": st.text_input("Name", given.get("name", ""), key=f"{key}#name")}
    spots.here("name")
    said |= schedule_work.draw(given, key, spots)
    said |= schedule_when.draw(given, key, spots)
    with st.expander("When things go otherwise", icon=":material/alt_route:", key=f"{key}#policies"):
        said |= schedule_policies.draw(given, key, spots)
    with st.expander("Priority, queue, jitter and tags", icon=":material/tune:", key=f"{key}#how"):
        said |= schedule_policies.queueing(given, key, spots)
    said["description"] = st.text_area(
        "Description", given.get("description", ""), key=f"{key}#description", height=80,
        placeholder="What it is for, and whom to ask",
    )  # fmt: skip
    spots.here("description")
    return said


def _save(opened: Opened, said: dict[str, Any], on: bool, why: str | None, spots: Spots) -> None:
    if spots.wrong:
        name, sentence = next(iter(spots.wrong.items()))
        opened.refused = InvalidInput(name, sentence.removeprefix(f"{name}: "))
        return
    try:
        row = save(opened.kind, opened.row, opened.first or {}, said, on, why)
    except ServiceError as refusal:
        opened.refused = refusal
        return
    close()
    schedule_reads.forget()
    tell.later(f"{row.name} is saved")
    pages.open_schedule(row.id)


def _refusal(opened: Opened, said: dict[str, Any], spots: Spots) -> None:
    refused = opened.refused
    if isinstance(refused, Conflict) and opened.row is not None:
        schedule_conflict.show(opened, refused, said)
    elif refused is not None:
        at_field = isinstance(refused, InvalidInput) and spots.say(refused.field, str(refused))
        hint = ". It is marked above." if at_field else ""
        st.error(f"{say.plain(refused)}{hint}", title="Nothing was saved", icon=":material/error:")
        opened.refused = None  # until it is tried again


def _discard() -> None:
    close()
    st.rerun()
