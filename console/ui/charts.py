"""Charts as ECharts options: pure, still on ticks, readable on light and on dark."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from console.ui import look
from models import Outcome
from services.stats import Hour

ENDINGS = (Outcome.completed, Outcome.failed, Outcome.retried, Outcome.cancelled, Outcome.lost)


def endings(hours: Sequence[Hour], span: Sequence[datetime], zone: tzinfo) -> dict[str, Any]:
    """What attempts came to, hour by hour, stacked."""
    sums: dict[tuple[datetime, Outcome], int] = {}
    for hour in hours:
        for outcome, n in hour.counts.items():
            sums[hour.at, outcome] = sums.get((hour.at, outcome), 0) + n
    shown = [o for o in ENDINGS if any((at, o) in sums for at in span)] or [Outcome.completed]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 8, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "icon": "roundRect", "itemWidth": 10, "itemHeight": 10},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category", "data": [f"{at.astimezone(zone):%H:%M}" for at in span], "axisTick": {"show": False}
        },
        "yAxis": {"type": "value", "minInterval": 1, "splitNumber": 3},
        "series": [
            {
                "type": "bar", "stack": "endings", "name": look.OUTCOMES[o][0], "barMaxWidth": 22,
                "itemStyle": {"color": look.HEX[look.OUTCOMES[o][1]]}, "data": [sums.get((at, o), 0) for at in span],
            }
            for o in shown
        ],
    }  # fmt: skip
