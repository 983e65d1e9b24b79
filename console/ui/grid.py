"""A grid that is live and safe: WHICH rows it shows is frozen until the reader asks, what stands in their cells is not.

A selection is made of positions. So the widget's identity is the snapshot of ids: a new snapshot is a new widget with
nothing selected, and callbacks act on the ids of the run that drew them.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from console import acts, pages, reads
from console.ui import bulk_dialog, pager, parts, rows, say
from console.ui.bulk_words import WORDS
from models import reading
from services import search
from services.bulk import Act
from services.search import TaskFilter

SIZE = 50
ROW = 30


@dataclass
class Snapshot:
    """The frozen rows of one grid, and the way there."""

    filter: TaskFilter
    cursors: list[int | None] = field(default_factory=lambda: [None])  # `before` of each page up to this one
    ids: list[int] | None = None
    next_before: int | None = None

    def thaw(self, cursors: list[int | None] | None = None) -> None:
        """Look anew: at the first page, or at the one these cursors lead to."""
        self.cursors, self.ids = cursors or [None], None

    def fill(self) -> None:
        """Freeze what is there."""
        if self.ids is None:
            found = search.page(self.filter, before=self.cursors[-1], size=SIZE)
            self.ids, self.next_before = [row.id or 0 for row in found.rows], found.next_before


def snapshot(name: str, wanted: TaskFilter) -> Snapshot:
    """This session's snapshot under that name; a new one where the filter changed."""
    key = f"_{name}_snapshot"
    known = st.session_state.get(key)
    if known is None or known.filter != wanted:
        known = st.session_state[key] = Snapshot(wanted)
    return known


def show(name: str, shot: Snapshot) -> None:
    """The bar, the grid, the pager. Call it inside a fragment."""
    shot.fill()
    ids = list(shot.ids or [])
    with reading():
        tasks = search.by_ids(ids)
        why = reads.reasons(tasks, say.zone())
    ids = [task.id or 0 for task in tasks]
    bar = st.container(horizontal=True, vertical_alignment="center", key=f"{name}_bar", gap="small", border=False)
    generation = zlib.crc32(repr(ids).encode())
    click = f"{name}_open{generation}"
    opener = st.column_config.ButtonColumn(
        "Task",
        width=rows.ID_WIDTH,
        pinned=True,
        type="tertiary",
        key=click,
        on_click=_open,
        args=(click, ids),
        alignment="left",
    )
    event: Any = st.dataframe(
        rows.frame(tasks, why),
        column_config=rows.columns(Task=opener), column_order=rows.IN_LIST, hide_index=True, row_height=ROW,
        placeholder="–",
        height=parts.height(len(tasks), ROW), key=f"{name}_grid{generation}",
        on_select="rerun", selection_mode="multi-row", alt="Tasks, newest first",
    )  # fmt: skip
    ticked = [ids[at] for at in event.selection.rows if at < len(ids)]
    with bar:
        _bar(name, shot, tasks, ticked)
    pager.show(name, shot.cursors, shot.next_before, shot.thaw)


def _bar(name: str, shot: Snapshot, tasks: list, ticked: list[int]) -> None:
    newer = (
        sum(1 for i in reads.newest(shot.filter, 100) if i > shot.ids[0]) if shot.ids and len(shot.cursors) == 1 else 0
    )
    if ticked:
        st.markdown(f"**{len(ticked)}** ticked", width="content")
        chosen = [task for task in tasks if task.id in ticked]
        for act in _acts(shot.filter, any(acts.ACTS["Release"].effect(task) for task in chosen)):
            live = any(acts.ACTS[WORDS[act].name].may(task) for task in chosen)
            _button(name, act, ticked, live)
    else:
        st.caption(f"{reads.counted(shot.filter)} match. Tick rows to act on them.", width="content")
        _all_that_match(name, shot.filter)
    if newer:
        words = f"{newer}{'+' if newer == 100 else ''} new"
        st.button(words, key=f"{name}_new", icon=":material/arrow_upward:", type="tertiary", on_click=shot.thaw)


def _all_that_match(name: str, wanted: TaskFilter) -> None:
    key = f"{name}_all"
    st.menu_button(
        "Act on all that match", _acts(wanted, wanted.held), key=key, type="tertiary", icon=":material/select_all:",
        format_func=lambda act: f":material/{WORDS[act].icon}: {WORDS[act].name}…", disabled=not bulk_dialog.may(),
        on_click=_ask_of_all, args=(key, wanted),
    )  # fmt: skip


def _ask_of_all(key: str, wanted: TaskFilter) -> None:
    act = st.session_state.get(key)
    if act is not None:
        bulk_dialog.ask(Act(act), wanted)


def _button(name: str, act: Act, which: Any, live: bool) -> None:
    words = WORDS[act]
    st.button(
        words.name, key=f"{name}_{words.name}", icon=f":material/{words.icon}:", on_click=bulk_dialog.ask,
        args=(act, which), disabled=not live,
    )  # fmt: skip


def _acts(wanted: TaskFilter, held: bool) -> tuple[Act, ...]:
    """What is offered; of `held` tasks first that they be let go."""
    if wanted.deleted:
        return (Act.restore,)
    return (*((Act.release,) if held else ()), Act.cancel, Act.rerun, Act.reprioritise, Act.delete)


def _open(click: str, ids: list[int]) -> None:
    clicked = st.session_state.get(click)
    if clicked is not None and 0 <= clicked["row"] < len(ids):
        pages.open_task(ids[clicked["row"]])
