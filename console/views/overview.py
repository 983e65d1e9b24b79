"""What needs attention, what runs, what waits and why."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from console import figures, pages, reads, who
from console.ui import attention, charts, look, parts, queue_dialog, rows, say
from console.ui.cards import Answer, Board
from models import Outcome, Role, Status, Task, now
from services.queues import QueueState
from services.trends import SPANS, Depths, Trend

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    parts.title("Overview")
    span = st.segmented_control(
        "Span", list(SPANS), default="24h", required=True, key="span", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip


@st.fragment(run_every=4)
def board() -> None:
    """The part that lives."""
    cards = Board()
    stand, trend = cards.ask(figures.stand), cards.ask(figures.trend, span)
    depths, deploys = cards.ask(figures.depths, span), cards.ask(figures.deploys, span)
    if stand.value is not None and not stand.value.queues and stand.reference is None:
        welcome()
        return
    alarms(stand, trend)
    counters(depths, trend)
    marks = deploys.value or []
    left, right = st.columns(2, gap="medium")
    with left:
        cards.card("throughput", "Endings", trend, lambda found: throughput(found, marks), 290)
    with right:
        cards.card("durations", "Time to run and to wait", trend, lambda found: durations(found, marks), 290)
    left, right = st.columns(2, gap="medium")
    with left:
        cards.card("types", f"Types in the last {span}", trend, types)
    with right:
        cards.card("queues", "Queues", stand, lambda found: queues(found.queues, depths.value))
    cards.card("latest", "Latest tasks", cards.ask(reads.latest, 10, say.zone().key), latest)
    cards.close()


def alarms(stand: Answer, trend: Answer) -> None:
    """What is not as it should be, each with the way to its cure."""
    with st.container(key="alarms", gap=None):
        if stand.value is None:
            st.markdown(":orange[:material/error: What needs attention cannot be read now.]")
            return
        found = attention.alarms(stand.value, trend.value.types if trend.value else (), span)
        if not found:
            st.markdown(":green[:material/check_circle:] Nothing needs attention.", width="content")
        for n, alarm in enumerate(found[: attention.MOST]):
            notice(n, alarm)
        if len(found) > attention.MOST:
            st.caption(f"And {len(found) - attention.MOST} more.")


def notice(n: int, alarm: attention.Alarm) -> None:
    """One line that leads to its cure."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"alarm_{n}"):
        colour = "red" if alarm.grave else "orange"
        st.markdown(f":{colour}[:material/warning:] {say.plain(say.short(alarm.sentence, 300))}", width="content")
        if alarm.resume is not None and who.may(Role.operator):
            st.button(
                alarm.label, key=f"alarm_act_{n}", type="tertiary", icon=":material/play_arrow:",
                on_click=queue_dialog.ask, args=("Resume", alarm.resume),
            )  # fmt: skip
        else:
            label = "Show" if alarm.resume else alarm.label
            st.page_link(
                pages.page(alarm.page), label=label, icon=":material/arrow_forward:", query_params=alarm.params
            )


def counters(depths: Answer, trend: Answer) -> None:
    """How long the lines are, and what ended in the span; each leads to its tasks."""
    lines: Depths | None = depths.value
    ended: Trend | None = trend.value
    with st.grid(6, min_column_width=130, key="counts"):
        for status in (Status.queued, Status.running, Status.pending):
            line = lines.total[status] if lines else []
            counter(status.value, look.NAMES[status], look.icon(status), status, line[-1] if line else None, line)
        for outcome, status in ((Outcome.completed, Status.completed), (Outcome.failed, Status.failed)):
            counts = _ended(ended, outcome)
            counter(status.value, look.NAMES[status], look.icon(status), status, _sum(counts), counts, within=True)
        retried = _ended(ended, Outcome.retried)
        counter("retried", "Retried", ":material/replay:", Status.pending, _sum(retried), retried, within=True)


def _ended(trend: Trend | None, outcome: Outcome) -> list[int] | None:
    if trend is None:
        return None
    if outcome is Outcome.failed:  # with those that were given up
        return [sum(column) for column in zip(*(one.failed_by_column for one in trend.types), strict=True)]
    return trend.outcomes.get(outcome, [])


def _sum(counts: Sequence[int] | None) -> int | None:
    return None if counts is None else sum(counts)


def counter(
    key: str, name: str, icon: str, status: Status, value: int | None, line: Sequence[int | None] | None,
    within: bool = False,
) -> None:  # fmt: skip
    """One figure over its course in the span."""
    with st.container(border=True, gap=None, key=f"count_{key}"):
        label = f"{name} in {span}" if within else name
        st.page_link(
            pages.page("tasks"), label=label, icon=icon, query_params={"status": look.NAMES[status]},
        )  # fmt: skip
        course = [n or 0 for n in line or ()]
        st.metric(
            label, "–" if value is None else f"{value:,}", label_visibility="collapsed",
            chart_data=course if any(course) else None, chart_type="bar" if within else "area",
        )  # fmt: skip


def throughput(found: Trend, deploys: charts.Marks) -> None:
    """What attempts came to."""
    st.echarts_chart(
        charts.throughput(found.columns, found.outcomes, deploys, say.zone()), height=215, key="throughput_chart",
        alt="How attempts ended over time",
    )  # fmt: skip


def durations(found: Trend, deploys: charts.Marks) -> None:
    """How long attempts ran and waited."""
    if not any(found.run):
        st.caption("Nothing ran in this span.")
        return
    st.echarts_chart(
        charts.durations(found.slow_columns, found.run, found.wait, deploys, say.zone()), height=215,
        key="durations_chart", alt="Percentiles of the time attempts ran and waited",
    )  # fmt: skip


def types(found: Trend) -> None:
    """How each type did."""
    shown = found.types[:30]
    if not shown:
        st.caption("Nothing has ended in this span.")
        return
    column = st.column_config
    names = [one.name for one in shown]
    lines = [
        {
            "Type": say.visible(one.name), "Ended": one.ended, "Failed": 100 * (one.failure_rate or 0),
            "Median": say.duration(one.run.get(50.0)), "95 %": say.duration(one.run.get(95.0)),
            "Trend": thinned(one.ended_by_column, sum),
        }
        for one in shown
    ]  # fmt: skip
    st.dataframe(
        pd.DataFrame(lines), hide_index=True, row_height=28, height=parts.height(len(lines), 28, most=6), alt="Types",
        key="types_grid",
        column_config={
            "Type": column.ButtonColumn(
                width=150, key="types_open", type="tertiary", alignment="left", on_click=_open_type, args=(names,)
            ),
            "Ended": column.NumberColumn(format="localized", width=65, help="Completed, or failed for good"),
            "Failed": column.NumberColumn(format="%.0f%%", width=60, help="Of those that ended"),
            "Median": column.TextColumn(width=70, help="Half of the attempts took at most so long"),
            "95 %": column.TextColumn(width=70, help="95 of 100 attempts took at most so long"),
            "Trend": column.BarChartColumn(width=110, y_min=0, help="How many ended over the span"),
        },
    )  # fmt: skip


def queues(found: Sequence[QueueState], depths: Depths | None) -> None:
    """How each line stands, the longest first."""
    shown = sorted(found, key=lambda queue: (-queue.depth, queue.name))[:30]
    column = st.column_config
    lines = [
        {
            "Queue": say.visible(queue.name), "In line": queue.depth, "Oldest": _waits(queue),
            "Running": f"{queue.running:,}" + (f" of {queue.max_running:,}" if queue.max_running else ""),
            "State": ["Paused"] if queue.paused else [],
            "Depth": thinned([n or 0 for n in (depths.queued.get(queue.name, []) if depths else [])], max),
        }
        for queue in shown
    ]  # fmt: skip
    st.dataframe(
        pd.DataFrame(lines), hide_index=True, row_height=28, height=parts.height(len(lines), 28, most=6), alt="Queues",
        key="queues_grid", placeholder="–",
        column_config={
            "Queue": column.ButtonColumn(
                width=130, key="queues_open", type="tertiary", alignment="left", on_click=_open_queue,
                args=([queue.name for queue in shown],),
            ),
            "In line": column.NumberColumn(format="localized", width=65),
            "Oldest": column.TextColumn(width=80, help="How long the oldest task has been in line"),
            "Running": column.TextColumn(width=85),
            "State": column.MultiselectColumn(width=80, options=["Paused"], color=["orange"]),
            "Depth": column.AreaChartColumn(width=110, y_min=0, help="How many stood in line over the span"),
        },
    )  # fmt: skip


def _waits(queue: QueueState) -> str | None:
    if queue.oldest_queued_at is None:
        return None
    return say.duration((now() - queue.oldest_queued_at).total_seconds() // 1)


def thinned(course: Sequence[int], of: Callable[[Sequence[int]], int], most: int = 24) -> list[int]:
    """At most so many points, each the sum or the most `of` its neighbours."""
    step = -(-len(course) // most) or 1
    return [of(course[at : at + step]) for at in range(0, len(course), step)]


def _clicked(key: str, values: Sequence[Any]) -> Any:
    clicked = st.session_state.get(key)
    return values[clicked["row"]] if clicked is not None and 0 <= clicked["row"] < len(values) else None


def _open_type(names: list[str]) -> None:
    if (name := _clicked("types_open", names)) is not None:
        st.switch_page(pages.page("tasks"), query_params={"type": name})


def _open_queue(names: list[str]) -> None:
    if (name := _clicked("queues_open", names)) is not None:
        st.switch_page(pages.page("tasks"), query_params={"queue": name})


def latest(found: list[tuple[Task, str | None]]) -> None:
    """The newest tasks."""
    ids = [task.id or 0 for task, _ in found]
    opener = st.column_config.ButtonColumn(
        "Task", width=75, pinned=True, type="tertiary", key="latest_open", on_click=_open_task, args=(ids,),
        alignment="left",
    )  # fmt: skip
    shown = ["Task", "Status", "Type", "Title", "Now", "Progress", "Ran", "Created"]
    st.dataframe(
        rows.frame([task for task, _ in found], [why for _, why in found]), column_config=rows.columns(Task=opener),
        hide_index=True, row_height=30, column_order=shown, placeholder="–", height=parts.height(len(found)),
        alt="Latest tasks", key="latest",
    )  # fmt: skip


def _open_task(ids: list[int]) -> None:
    if (task_id := _clicked("latest_open", ids)) is not None:
        pages.open_task(task_id)


def welcome() -> None:
    """The first minute."""
    parts.empty(
        "inbox",
        "Callboard is up, and has nothing to do yet.",
        "Run a first task from here, or from Python.",
    )
    if who.may(Role.member):
        st.page_link(pages.page("run"), label="Run a task", icon=":material/play_circle:", query_params={})


board()
queue_dialog.show_if_asked()
