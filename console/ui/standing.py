"""Parts of Overview: counters over their course, types and queues as tables."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import streamlit as st

from console import asked, pages
from console.ui import look, parts, say
from models import FINISHED, Outcome, Status, now
from services.depths import Depths
from services.queues import QueueState
from services.trends import Trend

ENDINGS = (
    "Counts endings: a task that failed, was rerun and failed again counts twice. The list shows the tasks as they "
    "stand now, without those that were deleted."
)
RETRIES = "Counts attempts that failed and were to be tried again. The list shows what is pending now."


def counters(lines: Depths | None, ended: Trend | None, span: str) -> None:
    """How long the lines are, and what ended in the span; each leads to its tasks."""
    with st.grid(6, min_column_width=130, key="counts"):
        for status in (Status.queued, Status.running, Status.pending):
            line = lines.total[status] if lines else []
            counter(status.value, look.NAMES[status], look.icon(status), status, line[-1] if line else None, line)
        for outcome, status in ((Outcome.completed, Status.completed), (Outcome.failed, Status.failed)):
            counts = _ended(ended, outcome)
            counter(status.value, look.NAMES[status], look.icon(status), status, _sum(counts), counts, span, ENDINGS)
        retried = _ended(ended, Outcome.retried)
        counter("retried", "Retried", ":material/replay:", Status.pending, _sum(retried), retried, span, RETRIES)


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
    span: str | None = None, means: str | None = None,
) -> None:  # fmt: skip
    """One figure over its course in the span; `means`: what it counts, where its list shows something else."""
    with st.container(border=True, gap=None, height="stretch", key=f"count_{key}"):
        label = f"{name} in {span}" if span else name
        wanted = {"status": look.NAMES[status]}
        if span and status in FINISHED:
            wanted["ended"] = asked.ENDED_IN.format(span)
        st.page_link(pages.page("tasks"), label=label, icon=icon, query_params=wanted, help=means)
        course = [n or 0 for n in line or ()]
        st.metric(
            label, "–" if value is None else f"{value:,}", label_visibility="collapsed",
            chart_data=course if any(course) else None, chart_type="bar" if span else "area",
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
        pa.Table.from_pylist(lines), hide_index=True, row_height=28, height=parts.height(len(lines), 28, most=6),
        alt="Types", key="types_grid",
        column_config={
            "Type": column.ButtonColumn(
                width=150, key="types_open", type="tertiary", alignment="left", on_click=_open_type, args=(names,)
            ),
            "Ended": column.NumberColumn(
                format="localized", width=65, help="Completed, or failed for good; one that was rerun counts each time"
            ),
            "Failed": column.NumberColumn(format="%.0f%%", width=60, help="Of these endings"),
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
        pa.Table.from_pylist(lines), hide_index=True, row_height=28, height=parts.height(len(lines), 28, most=6),
        alt="Queues", key="queues_grid", placeholder="–",
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


def clicked(key: str, values: Sequence[Any]) -> Any:
    """Of these, one a row, that of the row whose button was clicked."""
    click = st.session_state.get(key)
    return values[click["row"]] if click is not None and 0 <= click["row"] < len(values) else None


def _open_type(names: list[str]) -> None:
    if (name := clicked("types_open", names)) is not None:
        st.switch_page(pages.page("tasks"), query_params={"type": name})


def _open_queue(names: list[str]) -> None:
    if (name := clicked("queues_open", names)) is not None:
        st.switch_page(pages.page("tasks"), query_params={"queue": name})
