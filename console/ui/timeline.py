"""A task's way so far: its states, when it came into each, and how long it stayed."""

from datetime import datetime

import streamlit as st

from console.ui import look, say
from models import Status, Task, now

Step = tuple[str, str, datetime]  # label, colour, since


def steps(task: Task) -> list[Step]:
    """The states that the row tells of, in the order of time; the last is where it stands."""
    found: list[Step] = [("Accepted", "gray", task.created_at)]
    for label, status, at in (
        ("Queued", Status.queued, task.queued_at),
        ("Running", Status.running, task.started_at),
    ):
        if at is not None and at >= task.created_at:
            found.append((label, look.COLOURS[status], at))
    found.sort(key=lambda step: step[2])
    if task.finished_at is not None:
        found.append((look.NAMES[task.status], look.COLOURS[task.status], task.finished_at))
    elif task.status is Status.pending and len(found) > 1:
        found.append(("Waiting to retry" if task.tries else "Pending", "gray", task.updated_at))
    elif task.status is Status.queued and found[-1][0] != "Queued":
        found.append(("Queued again", look.COLOURS[Status.queued], task.updated_at))
    return found


def show(task: Task) -> None:
    """One box a state, joined by how long it lasted."""
    way = steps(task)
    ends = [step[2] for step in way[1:]] + [None if task.finished else now()]
    boxes = []
    for (label, colour, since), until in zip(way, ends, strict=True):
        lasted = "" if until is None else say.duration((until - since).total_seconds())
        boxes.append(
            '<div style="flex:1 1 120px;min-width:110px">'
            f'<div style="height:4px;border-radius:2px;background:{look.HEX[colour]}"></div>'
            f'<div style="font-weight:600;margin-top:.4rem">{label}'
            f'<span style="font-weight:400;opacity:.75;float:right;padding-right:.5rem">{lasted}</span></div>'
            f'<div style="opacity:.7;font-size:.85rem" title="{say.exact(since)}">{say.at(since)}</div></div>'
        )
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.35rem">{"".join(boxes)}</div>')
