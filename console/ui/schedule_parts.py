"""The parts of a schedule's page above its tabs."""

from itertools import groupby
from typing import Any

import streamlit as st

from console import pages, schedule_reads, who
from console.ui import say, schedule_acts, schedule_backfill, schedule_conflict, schedule_form, schedule_history
from console.ui import schedule_fates as fates
from console.ui import schedule_words as words
from models import Role, Schedule
from services import schedules
from services.schedules import Latest, Rule, Slot, Trouble

PAST, COMING = 36, 12  # boxes of the strip
WHY = {
    Trouble.late: "It was due and has not fired: either no scheduler runs, or it is held up.",
    Trouble.missed: "Nobody fired its last slot. A backfill runs it after all.",
    Trouble.never: "It is on, but has no fire to come. Edit when it fires, or switch it off.",
}


def header(row: Schedule) -> None:
    """What it is, and what can be done with it."""
    mine = who.may(Role.operator, owner=row.owner) and row.deleted_at is None
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.title(say.plain(row.name), anchor=False, width="content")
            if row.deleted_at is not None:
                st.badge("Deleted", icon=":material/delete:", color="gray")
            else:
                icon = ":material/check:" if row.enabled else ":material/pause:"
                st.badge("On" if row.enabled else "Off", icon=icon, color="green" if row.enabled else "gray")
            if row.declared is not None:
                st.badge("Declared in code", icon=":material/code:", color="blue")
        if row.deleted_at is None:
            with st.container(horizontal=True, width="content", gap="xsmall", key="schedule_acts"):
                _buttons(row, mine)
    st.caption(f"{say.plain(words.rule(row))} · {say.plain(row.type)} · schedule \\#{row.id}")
    if row.description:
        st.markdown(say.plain(row.description))


def _buttons(row: Schedule, mine: bool) -> None:
    switch = "Switch off" if row.enabled else "Switch on"
    for label, icon, act, args, may in (
        ("Run now", "play_arrow", schedule_acts.run_now, (row.id,), mine),
        (switch, "pause" if row.enabled else "power_settings_new", schedule_acts.ask, (switch, row.id), mine),
        ("Edit", "edit", schedule_form.ask, ("edit", row.id), mine),
        ("Duplicate", "content_copy", schedule_form.ask, ("duplicate", row.id), who.may(Role.member)),
        ("Backfill…", "history", schedule_backfill.ask, (row.id,), mine),
        ("Delete…", "delete", schedule_acts.ask, ("Delete", row.id), mine),
    ):
        key = f"schedule_{label.strip('…').lower().replace(' ', '_')}"
        st.button(label, key=key, icon=f":material/{icon}:", on_click=act, args=args, disabled=not may)


def state(row: Schedule) -> None:
    """Why it does not fire, or what is wrong with it; where it differs from what code declared."""
    trouble = schedules.trouble(row)
    if row.deleted_at is not None:
        st.info(f"It was deleted at {say.at(row.deleted_at)}. Its history is shown until its time.")
    elif not row.enabled:
        by = say.plain((row.disabled_by or "somebody").removeprefix("operator:"))
        why = f": {say.plain(row.disabled_reason)}" if row.disabled_reason else ""
        told = st.warning if trouble is Trouble.paused else st.info
        told(f"Off since {say.at(row.disabled_at)}, by {by}{why}", icon=":material/pause_circle:")
    elif trouble is not None:
        st.warning(_failing(row) if trouble is Trouble.failing else WHY[trouble], icon=":material/warning:")
    elif row.due_at is None:
        st.info(f"It came to its end at {say.at(row.end_at)}, and fires no more.", icon=":material/event_available:")
    if differs := schedules.drift(row):
        lines = [
            f"- **{say.plain(schedule_conflict.label(name))}**: declared {say.plain(schedule_conflict.word(said))}, "
            f"is {say.plain(schedule_conflict.word(is_))}"
            for name, (said, is_) in differs.items()
        ]
        st.info("\n".join(lines), title="It differs from what code declares", icon=":material/difference:")


def _failing(row: Schedule) -> str:
    if not row.failures_in_row:
        return "Its last slot could not be enqueued: the history says why."
    which = "Its last run" if row.failures_in_row == 1 else f"Its last {row.failures_in_row:,} runs"
    return f"{which} failed: the history shows what was left."


def figures(row: Schedule) -> None:
    """When it fires next, and how it did so far."""
    at = row.due_at
    if at is None:
        coming = '<div><b class="cb-muted">None</b><small>no fire to come</small></div>'
    else:
        own = words.zone(row)
        there = "" if own.key == say.zone().key else f" · there {words.on_the_minute(at, own)}"
        coming = f"<div><b>{words.countdown(at)}</b><small>{say.markup(words.on_the_minute(at) + there)}</small></div>"
    ended = row.completed + row.failed
    rest = (
        (
            "Success rate",
            words.share(row.success_rate),
            f"of {say.many(ended, 'run')}" if ended else "no run has ended",
        ),
        ("Average duration", say.duration(row.average_run_s), "of completed runs"),
        ("Failures in a row", f"{row.failures_in_row:,}", pauses(row)),
    )
    boxes = f'<div class="cb-figure"><span>Next</span>{coming}</div>' + "".join(
        f'<div class="cb-figure"><span>{name}</span><div><b>{value}</b><small>{note}</small></div></div>'
        for name, value, note in rest
    )
    with st.container(gap=None):
        st.html(words.clock())
        st.html(f'<div class="cb-figures">{boxes}</div>')


def pauses(row: Schedule) -> str:
    """What its failures lead to."""
    return "it never pauses by itself" if row.pause_after is None else f"it pauses after {row.pause_after:,}"


def calendar(row: Schedule) -> None:
    """Past and coming fires by their days; now is between them."""
    past = schedule_reads.latest((row.id,), PAST)[row.id]
    coming = _coming(row)
    if not past and not coming:
        return
    with st.container(border=True, gap="small", key="schedule_calendar"):
        st.html(f'<div class="cb-calendar">{_days(past, [])}<div class="cb-now">now</div>{_days([], coming)}</div>')
        fates.legend()


def _coming(row: Schedule) -> list[Slot]:
    if row.next_at is None or row.next_slot is None:
        return []
    first = Slot(row.next_slot, row.next_at)
    try:
        later = Rule.of(row).after(first)
        return [first, *(slot for slot, _ in zip(later, range(COMING - 1), strict=False))]
    except Exception:  # a rule of another version; its own state says so when it is due
        return [first]


def _days(past: list[Latest], coming: list[Slot]) -> str:
    zone = say.zone()
    fires: list[Any] = [*past, *coming]
    days = groupby(fires, key=lambda one: one.at.astimezone(zone).date())
    drawn = []
    for day, group in days:
        ones = list(group)
        strip = fates.strip(
            [one for one in ones if isinstance(one, Latest)], [one for one in ones if isinstance(one, Slot)],
            linked=True,
        )  # fmt: skip
        drawn.append(f'<div class="cb-day"><small>{day:%a} {day.day} {day:%b}</small>{strip}</div>')
    return "".join(drawn)


def last_runs(row: Schedule) -> None:
    """The last five, with how they stand."""
    found = schedule_reads.history(row.id, None, ("ran",), schedule_history.LAST)[: schedule_history.LAST]
    if found:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Last runs**", width="content")
            st.page_link(
                pages.page("tasks"), label="All its tasks", icon=":material/list_alt:",
                query_params={"by": f"schedule {row.id}"},
            )  # fmt: skip
        schedule_history.last_runs(found)
