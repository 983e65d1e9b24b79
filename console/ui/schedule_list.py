"""Schedules as rows: what, when next, how the last fires went. One piece of HTML, so that a tick is cheap."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from console.ui import say
from console.ui import schedule_fates as fates
from console.ui import schedule_words as words
from models import Schedule
from services import schedules
from services.schedules import Latest, Slot, Upcoming

CELLS = 10  # past fires in a row
HEADS = ("Schedule", "Next", "Last fires", "Last", "Success", "Average", "State")


def show(rows: Sequence[Schedule], past: Mapping[int, Sequence[Latest]]) -> None:
    """Draw them."""
    head = "".join(f'<span role="columnheader">{name}</span>' for name in HEADS)
    body = "".join(_row(row, past.get(row.id, ())) for row in rows)
    st.html(
        '<div class="cb-rows cb-schedules" role="table" aria-label="Schedules">'
        f'<div class="cb-row cb-head" role="row">{head}</div>{body}</div>'
    )


def link(schedule_id: int, name: str) -> str:
    """To a schedule's page."""
    shown = say.markup(say.short(name, 80))
    return f'<a class="callboard-schedule" href="/schedule?id={schedule_id}" target="_self">{shown}</a>'


def _row(row: Schedule, past: Sequence[Latest]) -> str:
    trouble = schedules.trouble(row)
    badge = "" if trouble is None else f'<span class="cb-trouble">{words.TROUBLES[trouble]}</span>'
    rule = say.markup(words.rule(row))
    ended = past[-1] if past else None
    coming = [Slot(row.next_slot or "", row.next_at)] if row.next_at else []
    average = row.average_run_s
    cells = [
        f'<div class="cb-what">{link(row.id, row.name)}{badge}<small>{rule} · {say.markup(row.type)}</small></div>',
        _next(row),
        fates.strip(past, coming, CELLS),
        _last(ended),
        words.share(row.success_rate),
        say.duration(average),
        f'<span class="cb-onoff{"" if row.enabled else " cb-off"}">{"On" if row.enabled else "Off"}</span>',
    ]
    drawn = "".join(
        f'<div role="cell" data-label="{name}">{inner}</div>' for name, inner in zip(HEADS, cells, strict=True)
    )
    return f'<div class="cb-row" role="row">{drawn}</div>'


def _next(row: Schedule) -> str:
    if row.due_at is None:
        return '<span class="cb-muted">–</span>'
    return _moment(row.due_at)


def _moment(at: datetime) -> str:
    return f"<div>{words.countdown(at)}<small>{say.markup(words.on_the_minute(at))}</small></div>"


def _last(ended: Latest | None) -> str:
    if ended is None:
        return '<span class="cb-muted">Not yet</span>'
    at = say.markup(words.on_the_minute(ended.at))
    return f"<div>{fates.badge(fates.fate(ended.outcome, ended.status))}<small>{at}</small></div>"


def coming(found: Sequence[Upcoming]) -> None:
    """What fires next, across schedules."""
    lines = "".join(
        '<div class="cb-row" role="row">'
        f'<div role="cell" data-label="When">{_moment(one.slot.at)}</div>'
        f'<div role="cell" class="cb-what">{link(one.schedule.id, one.schedule.name)}'
        f"<small>{say.markup(words.rule(one.schedule))} · {say.markup(one.schedule.type)}</small></div></div>"
        for one in found
    )
    st.html(f'<div class="cb-rows cb-coming" role="table" aria-label="What fires next">{lines}</div>')
