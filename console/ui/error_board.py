"""Kinds of failure as a grid; below it the one that is ticked, with what can be done about it.

Which lines it shows is frozen until the reader asks, as in the grid of tasks: a tick is a position.
"""

import zlib
from typing import Any

import pandas as pd
import streamlit as st

from console import pages, reads, who
from console.ui import bulk_dialog, parts, say
from models import GroupState, Role, Status
from services import error_groups
from services.bulk import Act
from services.error_groups import Group
from services.errors import ServiceError
from services.search import TaskFilter

SHOT, TROUBLE, NOTE = "_errors_shot", "_errors_trouble", "errors_note"
FIRST = 5  # of a group go ahead when it is rerun
EMPTY = {
    GroupState.open: ("check_circle", "No kind of failure is open.", "New failures are counted within seconds."),
    GroupState.resolved: ("task_alt", "None is resolved.", "One that fails again opens by itself."),
    GroupState.ignored: ("notifications_off", "None is ignored.", ""),
}


def show(state: GroupState) -> None:
    """The grid and the ticked line. Call it inside a fragment."""
    newest = reads.error_kinds(state.value)
    shot = st.session_state.get(SHOT)
    if shot is None or shot[0] is not state or not shot[1]:
        shot = st.session_state[SHOT] = (state, newest)
    groups = [group for group in reads.error_details(tuple(shot[1])) if group.row.state is state]
    if not groups:
        st.session_state.pop(SHOT, None)
        return parts.empty(*EMPTY[state])
    prints = [group.row.fingerprint for group in groups]
    if newer := len(set(newest) - set(shot[1])):
        st.button(f"{newer} new", key="errors_new", icon=":material/arrow_upward:", type="tertiary", on_click=_thaw)
    at = _grid(groups, f"errors_grid{zlib.crc32(repr((state, prints)).encode())}")
    if at is None:
        st.caption("Tick a line to see its last message, to rerun its tasks, or to decide about it.")
    else:
        _detail(groups[at])
    return None


def _grid(groups: list[Group], key: str) -> int | None:
    column = st.column_config
    event: Any = st.dataframe(
        pd.DataFrame([_line(group) for group in groups]), hide_index=True, row_height=32, placeholder="–", key=key,
        height=parts.height(len(groups), 32, 12), alt="Failures by kind, the latest first",
        on_select="rerun", selection_mode="single-row",
        column_config={
            "Tasks": column.TextColumn(width=70, help="How many were seen failed with it"),
            "Last 14 days": column.BarChartColumn(width=130, y_min=0, help="A bar a day (UTC), today at the right"),
            "Type": column.TextColumn(width=130), "Error": column.TextColumn(width=150),
            "Last message": column.TextColumn(width=315), "First": column.TextColumn(width=120),
            "Last": column.TextColumn(width=110), "State": column.TextColumn(width=90),
        },
    )  # fmt: skip
    ticked = event.selection.rows
    return ticked[0] if ticked and ticked[0] < len(groups) else None


def _line(group: Group) -> dict[str, object]:
    row = group.row
    return {
        "Tasks": f"{row.total:,}", "Error": say.visible(row.error_class or "") or None, "Type": say.visible(row.type),
        "Last 14 days": group.days,
        "Last message": say.visible(say.short(group.message or "", 300)) or None,
        "First": say.at(row.first_at), "Last": say.ago(row.last_at), "State": "Reopened" if group.reopened else None,
    }  # fmt: skip


def _detail(group: Group) -> None:
    row = group.row
    with st.container(border=True, key="error_detail"):
        st.markdown(f"**{say.plain(row.error_class or 'Failure')}** in {say.plain(row.type)}")
        if group.message:
            st.code(say.visible(group.message[:5_000]), language=None, wrap_lines=True)
        _said(group)
        if trouble := st.session_state.pop(TROUBLE, None):
            st.warning(say.sentence(trouble), icon=":material/block:")
        decides = who.may(Role.operator)
        st.text_input(
            "Note", key=NOTE, max_chars=500, placeholder="Note, such as the release that mends it",
            label_visibility="collapsed", disabled=not decides,
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button("Show tasks", key="errors_tasks", icon=":material/list_alt:", on_click=_tasks, args=(group,))
            wanted = TaskFilter(status=Status.failed, error=row.fingerprint)
            st.button(
                "Rerun…", key="errors_rerun", icon=":material/replay:", on_click=bulk_dialog.ask,
                args=(Act.rerun, wanted, FIRST), disabled=not bulk_dialog.may(),
            )  # fmt: skip
            for label, icon, act, of in (
                ("Resolve", "check", error_groups.resolve, GroupState.resolved),
                ("Ignore", "notifications_off", error_groups.ignore, GroupState.ignored),
                ("Open again", "undo", error_groups.reopen, GroupState.open),
            ):
                if row.state is not of:
                    st.button(
                        label, key=f"errors_{of.value}", icon=f":material/{icon}:", on_click=_decide,
                        args=(act, row.fingerprint), disabled=not decides,
                    )  # fmt: skip


def _said(group: Group) -> None:
    row = group.row
    note = f": {say.plain(row.note)}" if row.note else ""
    if group.reopened:
        st.warning(
            f"It was resolved and failed again; it was opened at {say.at(row.state_at)}{note}",
            icon=":material/restart_alt:",
        )
    elif row.state_by:
        by = say.plain(row.state_by.removeprefix("operator:"))
        word = "opened again" if row.state is GroupState.open else row.state.value
        st.caption(f"{word.capitalize()} by {by} at {say.at(row.state_at)}{note}")
    st.caption(f"Fingerprint {say.plain(row.fingerprint)} · last task \\#{row.last_task_id}")


def _tasks(group: Group) -> None:
    query = {"error": group.row.fingerprint, "status": "Failed"}
    st.switch_page(pages.page("tasks"), query_params=query)


def _decide(act: Any, fingerprint: str) -> None:
    note = str(st.session_state.get(NOTE) or "").strip() or None
    try:
        with who.acting():
            act(fingerprint, note)
        st.session_state[NOTE] = ""
    except ServiceError as refusal:
        st.session_state[TROUBLE] = str(refusal)
        return
    reads.error_details.clear()
    reads.error_kinds.clear()
    reads.error_states.clear()
    st.rerun()


def _thaw() -> None:
    st.session_state.pop(SHOT, None)
