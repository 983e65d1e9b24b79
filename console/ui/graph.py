"""The picture of the tasks that need one another: boxes in columns that lead to their tasks, lines behind them.

Positions are pixels of our own making, all words are escaped; the boxes are plain links.
"""

import streamlit as st

from console.ui import look, say
from models import Task
from services.graph import Graph

BOX, GAP_X, ROW = 190, 46, 58  # pixels
HIGH = 42


def show(graph: Graph, here: int) -> None:
    """Draw it; the task `here` is the one whose page this is."""
    places = {
        task.id: (x * (BOX + GAP_X), y * ROW + _shift(graph, column))
        for x, column in enumerate(graph.columns)
        for y, task in enumerate(column)
    }
    width = len(graph.columns) * (BOX + GAP_X) - GAP_X
    height = max(len(column) for column in graph.columns) * ROW
    # st.html takes out drawings, too: the lines are thin boxes
    lines = "".join(_line(places[parent], places[child]) for parent, child in graph.edges)
    boxes = "".join(_box(task, *places[task.id], task.id == here) for column in graph.columns for task in column)
    with st.container(key="graph"):
        st.html(
            '<div style="overflow-x:auto;padding:4px">'
            f'<div style="position:relative;width:{width}px;height:{height}px">'
            f'<div style="opacity:.6" aria-hidden="true">{lines}</div>{boxes}</div></div>'
        )


def _shift(graph: Graph, column: list[Task]) -> float:
    return (max(map(len, graph.columns)) - len(column)) * ROW / 2


def _line(parent: tuple[float, float], child: tuple[float, float]) -> str:
    """Out of the one box, up or down halfway to the next column, and into the other."""
    x1, y1, x2, y2 = parent[0] + BOX, parent[1] + HIGH / 2, child[0], child[1] + HIGH / 2
    bend = x2 - GAP_X / 2
    return _bar(x1, y1, bend - x1, 0) + _bar(bend, min(y1, y2), 0, abs(y2 - y1)) + _bar(bend, y2, x2 - bend, 0)


def _bar(x: float, y: float, width: float, height: float) -> str:
    place = f"left:{x:g}px;top:{y:g}px;width:{width + 1.5:g}px;height:{height + 1.5:g}px"
    return f'<div style="position:absolute;{place};background:#8A91A3"></div>'


def _box(task: Task, x: float, y: float, here: bool) -> str:
    colour = look.HEX[look.COLOURS[task.status]]
    ring = f"box-shadow:0 0 0 2px {colour};" if here else ""
    whole = task.title or task.type
    name = say.markup(say.short(whole, 24))
    state = look.NAMES[task.status].lower()
    return (
        f'<a class="callboard-task" href="/task?id={task.id}" target="_self" title="{say.markup(whole)}"'
        f' {"aria-current=page" if here else ""} style="position:absolute;left:{x:g}px;top:{y:g}px;width:{BOX}px;'
        f"height:{HIGH}px;box-sizing:border-box;border:1px solid {colour}80;border-left:4px solid {colour};"
        f"border-radius:6px;padding:2px 8px;color:inherit;text-decoration:none;line-height:18px;font-size:13px;{ring}"
        'overflow:hidden;white-space:nowrap;text-overflow:ellipsis">'
        f'<span style="font-weight:600">{name}</span><br><span style="opacity:.7;font-size:12px">#{task.id} · {state}'
        "</span></a>"
    )
