"""The part of the form that says when: cron or intervals, zone, start and end; and what that means, as it is typed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from console.ui import say
from console.ui import schedule_words as words
from console.ui.schedule_spots import Spots
from services import schedules, wall
from services.errors import InvalidInput
from services.schedules import Preview, Slot, zones

EXAMPLES = {
    "Hourly": "0 * * * *", "Daily at 06:00": "0 6 * * *", "Weekdays at 06:00": "0 6 * * 1-5",
    "First of the month": "0 6 1 * *", "Every 15 minutes": "*/15 * * * *",
}  # fmt: skip
UNITS = {"minutes": 60, "hours": 3600, "days": 86_400}
KINDS = {"cron": "By the calendar (cron)", "every": "At intervals"}


def draw(given: dict[str, Any], key: str, spots: Spots) -> dict[str, Any]:
    """Draw the fields, filled with what is given; returns them as a schedule has them."""
    kind = st.segmented_control(
        "When", list(KINDS), format_func=KINDS.__getitem__, required=True, key=f"{key}#kind",
        default="every" if given.get("every") else "cron",
    )  # fmt: skip
    said: dict[str, Any] = {"cron": None, "every": None}
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if kind == "cron":
            said["cron"] = _cron(given, key, spots)
        else:
            said["every"] = _every(given, key, spots)
        zone = _zone(given, key, spots)
        where = _known(zone)
        said |= {"zone": zone, **_bounds(given, key, where, spots)}
    with right, st.container(border=True, gap="xsmall", key="schedule_preview"):
        try:
            _preview(schedules.preview(**said), where)
        except InvalidInput as refusal:
            spots.refuse(refusal)
            st.caption("When it would fire stands here as soon as that can be read.")
    return said


def _cron(given: dict[str, Any], key: str, spots: Spots) -> str:
    field = f"{key}#cron"
    said = st.text_input(
        "Cron expression", given.get("cron") or "0 6 * * *", key=field, live="300ms", placeholder="0 6 * * 1-5",
        help="Minute, hour, day of the month, month, day of the week (Sunday is 0 and 7); 6 fields have seconds first. "
        "@hourly, @daily, @weekly, @monthly and @yearly are known.",
    )  # fmt: skip
    spots.here("cron")
    with st.container(horizontal=True, gap="small", key="cron_examples"):
        for n, (name, text) in enumerate(EXAMPLES.items()):
            st.button(name, key=f"{key}#example{n}", type="tertiary", on_click=_take, args=(field, text))
    return said or ""


def _take(field: str, text: str) -> None:
    st.session_state[field] = text


def _every(given: dict[str, Any], key: str, spots: Spots) -> float:
    seconds = given.get("every") or 3600
    unit = next(name for name in reversed(UNITS) if seconds % UNITS[name] == 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # No bounds here: a browser would change what was typed; the service says in words what is wrong with it
        count = st.number_input("Every", value=int(seconds // UNITS[unit]), step=1, key=f"{key}#every", width=160)
        chosen = st.selectbox(
            "Unit", list(UNITS), list(UNITS).index(unit), key=f"{key}#unit", label_visibility="collapsed", width=140
        )
    spots.here("every")
    st.caption("Counted from the start, else from the moment it is made; it does not drift.")
    return float(count or 0) * UNITS[chosen]


def _zone(given: dict[str, Any], key: str, spots: Spots) -> str:
    names = sorted(zones.names())
    start = given.get("zone") or say.zone().key
    if start not in names:
        names.insert(0, start)
    said = st.selectbox("Time zone", names, names.index(start), key=f"{key}#zone", accept_new_options=True)
    spots.here("zone")
    return said or ""


def _known(name: str) -> ZoneInfo:
    return ZoneInfo(name) if name in zones.names() else ZoneInfo("UTC")


def _bounds(given: dict[str, Any], key: str, where: ZoneInfo, spots: Spots) -> dict[str, datetime | None]:
    said: dict[str, datetime | None] = {}
    for side, (name, label, empty) in zip(
        st.columns(2), (("start_at", "Not before", "at once"), ("end_at", "Not after", "for ever")), strict=True
    ):
        with side:
            at = given.get(name)
            shown = None if at is None else at.astimezone(where).replace(tzinfo=None)
            typed = st.datetime_input(
                f"{label} ({say.plain(where.key)})", shown, key=f"{key}#{name}", format="DD/MM/YYYY",
                help=f"Empty: {empty}",
            )  # fmt: skip
            spots.here(name)
            said[name] = _instant(typed, where, name, spots)
    return said


def _instant(typed: datetime | None, where: ZoneInfo, name: str, spots: Spots) -> datetime | None:
    try:
        return wall.instant(typed, where, name) if typed else None
    except InvalidInput as refusal:
        spots.refuse(refusal)
        return None


def _preview(found: Preview, where: ZoneInfo) -> None:
    st.markdown(f"**{say.plain(found.words)}**")
    if not found.slots:
        st.caption("It would never fire: its end comes before its first slot.")
        return
    st.html(table(found.slots, where))


def table(slots: Sequence[Slot], where: ZoneInfo) -> str:
    """The next fires in the schedule's zone, and in the reader's where that is another."""
    mine = say.zone()
    zones_shown = [where] if where.key == mine.key else [where, mine]
    heads = [where.key] if len(zones_shown) == 1 else [where.key, f"For you: {mine.key}"]
    head = "".join(f'<th scope="col">{say.markup(name)}</th>' for name in heads)
    lines = "".join(f"<tr>{''.join(_cell(slot.at, zone) for zone in zones_shown)}</tr>" for slot in slots)
    return f'<table class="cb-preview"><caption>The next {len(slots)} fires</caption><tr>{head}</tr>{lines}</table>'


def _cell(at: datetime, zone: ZoneInfo) -> str:
    return f"<td>{say.markup(words.on_the_minute(at, zone))} <small>{words.offset(at, zone)}</small></td>"
