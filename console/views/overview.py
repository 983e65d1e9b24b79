"""What needs attention, what runs, what waits and why."""

from collections import defaultdict

import pandas as pd
import streamlit as st

from console import pages, reads
from console.ui import attention, charts, first_run, look, parts, rows, say
from models import Outcome, Status, now
from services.stats import Hour

HOURS = 24

parts.title("Overview")


@st.fragment(run_every=4)
def board() -> None:
    """The part that lives."""
    stand, history = reads.overview(), reads.endings(HOURS)
    waits = {q.name: (now() - q.oldest_queued_at).total_seconds() for q in stand.queues if q.oldest_queued_at}
    if not any(stand.counts.values()):
        first_run.show()
        return
    with st.container(key="alarms", gap=None):
        for n, alarm in enumerate(attention.alarms(stand, waits, failing(history.hours))[:6]):
            notice(n, alarm)
    counts(stand)
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, height=290, key="endings"):
        st.markdown("**Endings by hour**")
        st.echarts_chart(
            charts.endings(history.hours, history.span, say.zone()), height=215, key="endings_chart",
            alt="How attempts ended, by hour",
        )  # fmt: skip
    with right, st.container(border=True, height=290, key="types"):
        st.markdown("**Types in the last 24 hours**")
        types(history)
    st.markdown("**Latest tasks**")
    latest()


def notice(n: int, alarm: attention.Alarm) -> None:
    """One line that leads to its cure."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"alarm_{n}"):
        colour = "red" if alarm.grave else "orange"
        st.markdown(f":{colour}[:material/warning:] {say.plain(alarm.sentence)}", width="content")
        st.page_link(pages.page(alarm.page), label="Show", icon=":material/arrow_forward:", query_params=alarm.params)


def counts(stand: reads.Overview) -> None:
    """How many stand where; each leads to them."""
    with st.grid(6, min_column_width=130, key="counts"):
        for status in Status:
            with st.container(border=True, gap=None, key=f"count_{status.value}"):
                st.page_link(
                    pages.page("tasks"), label=look.NAMES[status], icon=look.icon(status),
                    query_params={"status": look.NAMES[status]},
                )  # fmt: skip
                st.metric(look.NAMES[status], f"{stand.counts[status]:,}", label_visibility="collapsed")
    busy, threads = sum(w.busy for w in stand.workers), sum(w.threads for w in stand.workers)
    alive = say.many(len(stand.workers), "worker")
    st.caption(f"{alive} alive, {busy} of {threads} threads busy. Completed, failed and cancelled are of all time.")


def failing(hours: list[Hour]) -> dict[str, tuple[int, int]]:
    """Failed and ended by type."""
    sums: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for hour in hours:
        failed = hour.counts.get(Outcome.failed, 0)
        ended = failed + hour.counts.get(Outcome.completed, 0)
        sums[hour.type] = (sums[hour.type][0] + failed, sums[hour.type][1] + ended)
    return dict(sums)


def types(history: reads.Endings) -> None:
    """How each type does."""
    sums = failing(history.hours)
    lines = [
        {
            "Type": say.visible(name), "Ended": ended, "Failed": 100 * failed / ended if ended else 0,
            "Median": say.duration(history.run.get(name, {}).get(50)),
            "95 %": say.duration(history.run.get(name, {}).get(95)),
        }
        for name, (failed, ended) in sorted(sums.items(), key=lambda item: -item[1][1])
    ]  # fmt: skip
    if not lines:
        st.caption("Nothing has ended.")
        return
    column = st.column_config
    st.dataframe(
        pd.DataFrame(lines), hide_index=True, row_height=28, height=parts.height(len(lines), 28, most=6), alt="Types",
        column_config={
            "Ended": column.NumberColumn(format="%,d", width=65),
            "Failed": column.NumberColumn(format="%.0f%%", width=65, help="Of those that completed or failed"),
            "Median": column.TextColumn(width=70, help="Half of the attempts took at most so long"),
            "95 %": column.TextColumn(width=70, help="95 of 100 attempts took at most so long"),
        },
    )  # fmt: skip


def latest() -> None:
    """The newest tasks."""
    found = reads.latest(12, say.zone().key)
    ids = [task.id or 0 for task, _ in found]
    opener = st.column_config.ButtonColumn(
        "Task",
        width=75,
        pinned=True,
        type="tertiary",
        key="latest_open",
        on_click=look_at,
        args=(ids,),
        alignment="left",
    )
    shown = ["Task", "Status", "Type", "Title", "Now", "Progress", "Ran", "Created"]
    st.dataframe(
        rows.frame([task for task, _ in found], [why for _, why in found]), column_config=rows.columns(Task=opener),
        hide_index=True, row_height=30, column_order=shown, placeholder="–", height=parts.height(len(found)),
        alt="Latest tasks", key="latest",
    )  # fmt: skip


def look_at(ids: list[int]) -> None:
    """Open the task of a row."""
    clicked = st.session_state.get("latest_open")
    if clicked is not None and 0 <= clicked["row"] < len(ids):
        pages.open_task(ids[clicked["row"]])


board()
