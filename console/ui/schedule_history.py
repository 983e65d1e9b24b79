"""What became of slots, of one schedule or of all: who had it fire, what came of it, what its run left and made."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from console import schedule_reads
from console.ui import living, outage, pager, parts, say, schedule_list
from console.ui import schedule_fates as fates
from models import Cause, FireOutcome
from services.schedules import FireView, Output

SIZE = 20
LAST = 5  # runs that are shown beside one another
CURSORS = "_fires_cursors"
CAUSES = {Cause.automatic: "automatic", Cause.manual: "manual", Cause.backfill: "backfill"}
OUTCOMES = {  # the address holds these words
    "Ran": FireOutcome.ran, "Skipped": FireOutcome.skipped, "Missed": FireOutcome.missed,
    "Deduplicated": FireOutcome.deduplicated, "Not enqueued": FireOutcome.failed,
}  # fmt: skip
EMPTY = (
    "history",
    "Nothing was due yet.",
    "Each slot gets a row here: ran, skipped, missed, or not enqueued, and why.",
)


@living.every(4)
@outage.told()
def board(schedule_id: int | None) -> None:
    """A page of it, which lives; the newest first."""
    asked: list[str] = []
    if schedule_id is not None:  # a rare outcome of all schedules could be far back
        asked = st.pills(
            "Outcome", list(OUTCOMES), selection_mode="multi", key="fired", bind="query-params",
            label_visibility="collapsed", on_change=_look_anew,
        )  # fmt: skip
    cursors = _cursors(schedule_id)
    found = schedule_reads.history(
        schedule_id, cursors[-1], tuple(sorted(OUTCOMES[each].value for each in asked)), SIZE
    )
    views, more = found[:SIZE], len(found) > SIZE
    if not views and len(cursors) == 1:
        if asked:
            parts.empty("filter_alt_off", "No slot came to this.")
        else:
            parts.empty(*EMPTY)
        return
    show(views, named=schedule_id is None)
    pager.show("fires", cursors, views[-1].key if more else None, partial(_page_of, schedule_id))


def show(views: Sequence[FireView], named: bool) -> None:
    """Draw rows; `named`: with the name of the schedule."""
    left = schedule_reads.outputs(tuple(sorted({view.task_id for view in views if view.task_id})))
    rows = "".join(_row(view, left, named) for view in views)
    st.html(f'<div class="cb-rows cb-fires" role="table" aria-label="What became of slots">{rows}</div>')


def _row(view: FireView, left: Mapping[int, Output], named: bool) -> str:
    which = fates.fate(view.outcome, view.status)
    name = f"<div>{schedule_list.link(view.schedule_id, view.schedule)}</div>" if named else ""
    facts = []
    if view.late_s >= 1 and view.cause is Cause.automatic and view.outcome is FireOutcome.ran:
        facts.append(f"late by {say.duration(view.late_s)}")
    if view.run_s is not None:
        facts.append(f"ran {say.duration(view.run_s)}")
    if view.why:
        facts.append(view.why)
    told = f"<small>{say.markup(' · '.join(facts))}</small>" if facts else ""
    task = "" if view.task_id is None else task_link(view.task_id)
    return (
        '<div class="cb-row" role="row">'
        f'<div role="cell" data-label="Slot"><span title="{say.exact(view.at)}">{say.markup(_when(view))}</span>'
        f'<small><span class="cb-cause cb-{view.cause.value}">{CAUSES[view.cause]}</span></small></div>'
        f'<div role="cell" data-label="Outcome">{fates.badge(which)}</div>'
        f'<div role="cell" class="cb-came">{name}{task}{told}{_left(view, left.get(view.task_id or 0))}</div></div>'
    )


def _when(view: FireView) -> str:
    at = view.at.astimezone(say.zone())
    return f"{at:%a} {at.day} {at:%b}, {at:%H:%M:%S}"


def task_link(task_id: int, words_: str | None = None) -> str:
    """To a task's page."""
    return f'<a class="callboard-task" href="/task?id={task_id}" target="_self">{words_ or f"Task #{task_id}"}</a>'


def _left(view: FireView, output: Output | None) -> str:
    """The beginning of what it left, all of it on a click; and the tasks it made."""
    if output is None or view.task_id is None:
        return ""
    drawn = ""
    if output.text:
        where = f"/api/tasks/{view.task_id}/output"
        all_of_it = f'<a class="callboard-all" href="{where}" target="_self">All of it</a>' if output.cut else ""
        first = say.markup(say.short(" ".join(output.text.split()), 90))
        drawn = (
            f'<details class="cb-output"><summary>{first}</summary><pre>{say.markup(output.text)}'
            f"{'…' if output.cut else ''}</pre>{all_of_it}</details>"
        )
    if output.made:
        links = ", ".join(task_link(task_id, f"#{task_id} {say.markup(kind)}") for task_id, kind in output.made)
        drawn += f"<small>made {links}{', and others' if output.more else ''}</small>"
    return drawn


def last_runs(views: Sequence[FireView]) -> None:
    """The last few runs beside one another."""
    boxes = "".join(
        f'<div class="cb-run">{fates.badge(fates.fate(view.outcome, view.status))}{task_link(view.task_id)}'
        f"<small>{say.markup(_when(view))} · {CAUSES[view.cause]}</small>"
        f"<small>{'' if view.run_s is None else f'ran {say.duration(view.run_s)}'}&nbsp;</small></div>"
        for view in views
        if view.task_id is not None
    )
    st.html(f'<div class="cb-runs">{boxes}</div>')


def _cursors(schedule_id: int | None) -> list:
    """Where each page up to this one begins; each schedule has its own."""
    whose, cursors = st.session_state.get(CURSORS, (None, None))
    return cursors if cursors and whose == schedule_id else [None]


def _look_anew() -> None:
    st.session_state.pop(CURSORS, None)


def _page_of(schedule_id: int | None, cursors: list) -> None:
    st.session_state[CURSORS] = (schedule_id, cursors)
