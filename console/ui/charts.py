"""Charts as ECharts options: still on ticks, readable on light and on dark."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import streamlit as st

from console.ui import look, say
from models import Outcome
from services.attention import Deploy

ENDINGS = (Outcome.completed, Outcome.failed, Outcome.retried, Outcome.cancelled, Outcome.lost)
SERIES = ("#4C83EE", "#E28A3B", "#8468E0", "#2FA05A", "#E0525A", "#8A91A3")  # told apart on light and on dark
Marks = Sequence[Deploy]


def throughput(
    columns: Sequence[datetime], outcomes: Mapping[Outcome, Sequence[int]], deploys: Marks, zone: tzinfo
) -> dict[str, Any]:
    """What attempts came to, column by column, stacked."""
    shown = [o for o in ENDINGS if any(outcomes.get(o, ()))] or [Outcome.completed]
    series = [
        {
            "type": "bar", "stack": "endings", "name": look.OUTCOMES[o][0], "barMaxWidth": 22, "barCategoryGap": "12%",
            "itemStyle": {"color": look.HEX[look.OUTCOMES[o][1]]}, "data": list(outcomes.get(o, [0] * len(columns))),
        }
        for o in shown
    ]  # fmt: skip
    return _chart(columns, series, deploys, zone, {"minInterval": 1})


def durations(
    columns: Sequence[datetime], run: Sequence[Mapping[float, float]], wait: Sequence[Mapping[float, float]],
    deploys: Marks, zone: tzinfo,
) -> dict[str, Any]:  # fmt: skip
    """Percentiles of the time that attempts ran and waited, in seconds, on a logarithmic scale."""
    lines = (
        ("Run, 95 %", run, 95.0, "#4C83EE", "solid"), ("Run, median", run, 50.0, "#4C83EE", "dashed"),
        ("Wait, 95 %", wait, 95.0, "#E28A3B", "solid"), ("Wait, median", wait, 50.0, "#E28A3B", "dashed"),
    )  # fmt: skip
    series = [
        _line(name, [_seconds(at.get(p)) for at in points], colour, kind) for name, points, p, colour, kind in lines
    ]
    chart = _chart(columns, series, deploys, zone, {"type": "log", "axisLabel": {"formatter": "{value} s"}})
    # Lines as icons, which show solid and dashed; a circle would hide them
    chart["legend"] |= {"itemWidth": 22, "itemHeight": 0}
    del chart["legend"]["icon"]
    return chart


def depth(
    columns: Sequence[datetime], lines: Mapping[str, Sequence[int | None]], deploys: Marks, zone: tzinfo
) -> dict[str, Any]:
    """How many stood in line, a line for each of the longest queues."""
    longest = sorted(lines, key=lambda name: -max((n or 0 for n in lines[name]), default=0))[: len(SERIES)]
    series = [
        _line(say.visible(name), list(lines[name]), colour, "solid", step="end")
        for name, colour in zip(sorted(longest), SERIES, strict=False)
    ]
    return _chart(columns, series, deploys, zone, {"minInterval": 1})


def _line(name: str, data: list[Any], colour: str, kind: str, **more: Any) -> dict[str, Any]:
    around = [None, *data, None]
    alone = any(n is not None and around[at] is around[at + 2] is None for at, n in enumerate(data))
    return {
        "type": "line", "name": name, "data": data, "connectNulls": False,
        "showSymbol": alone, "symbol": "circle", "symbolSize": 5,  # a line of one point draws nothing
        "lineStyle": {"color": colour, "type": kind, "width": 1.6}, "itemStyle": {"color": colour}, **more,
    }  # fmt: skip


def _chart(
    columns: Sequence[datetime], series: list[dict[str, Any]], deploys: Marks, zone: tzinfo, axis: dict[str, Any]
) -> dict[str, Any]:
    labels = _labels(columns, zone)
    if series and (marks := _marks(columns, labels, deploys)):
        series[0]["markLine"] = {
            "symbol": "none", "data": marks, "silent": True, "lineStyle": {"type": "dotted", "color": "#8A91A3"},
            "label": {"formatter": "{b}", "position": "insideEndTop", "color": "#8A91A3", "fontSize": 10},
        }  # fmt: skip
    ink = _ink()
    return {
        "animation": False,
        "grid": {"left": 8, "right": 12, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {
            "top": 0, "left": 0, "icon": "roundRect", "itemWidth": 10, "itemHeight": 10, "type": "scroll",
            "textStyle": ink,
        },
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "category", "data": labels, "axisTick": {"show": False}, "axisLabel": ink},
        "yAxis": {"type": "value", "splitNumber": 3, **axis, "axisLabel": {**ink, **axis.get("axisLabel", {})}},
        "series": series,
    }  # fmt: skip


def _ink() -> dict[str, str]:
    """How words look: on light darker than Streamlit's own grey, which is too pale to read; on dark it is well."""
    return {"color": "#6B7280"} if st.context.theme.type == "light" else {}


def _labels(columns: Sequence[datetime], zone: tzinfo) -> list[str]:
    long = columns[-1] - columns[0] > timedelta(days=2)
    return [f"{at.astimezone(zone):{'%a %H:%M' if long else '%H:%M'}}" for at in columns]


def _marks(columns: Sequence[datetime], labels: Sequence[str], deploys: Marks) -> list[dict[str, Any]]:
    marks = []
    for deploy in deploys:
        at = sum(1 for column in columns if column <= deploy.at) - 1
        if at >= 0:
            marks.append({"xAxis": at, "name": say.short(say.visible(deploy.version), 12)})
    return marks[-5:]


def _seconds(value: float | None) -> float | None:
    return None if value is None else float(f"{max(value, 0.001):.3g}")
