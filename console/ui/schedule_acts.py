"""What the buttons of a schedule's page do: run it now, switch it on or off, delete it."""

from typing import Any

import streamlit as st

from console import pages, schedule_reads, who
from console.ui import say, tell
from services import schedules
from services.errors import ServiceError

ASKED, REFUSED, NOT_RUN = "_schedule_asked", "_schedule_refused", "_schedule_not_run"
REASON, CANCEL = "schedule_reason", "schedule_cancel_runs"
SAY = {
    "Switch off": "It fires no more until it is switched on again. What it has enqueued goes on.",
    "Switch on": "It fires again from its next slot on. Slots that passed meanwhile are written down as skipped.",
    "Delete": "It fires no more, and cannot be brought back. Its history and its tasks stay.",
}
MOST_NAMED = 8


def run_now(schedule_id: int) -> None:
    """For a button's callback: one run out of turn."""
    try:
        with who.acting():
            task = schedules.run_now(schedule_id)
    except ServiceError as refusal:
        st.session_state[NOT_RUN] = (schedule_id, str(refusal), _live(schedule_id))
        return
    st.session_state.pop(NOT_RUN, None)
    schedule_reads.forget()
    words = "lives already: it has the schedule's unique key" if task.deduplicated else "is accepted"
    tell.later(f"Task #{task.id} {words}")


def _live(schedule_id: int) -> list[int]:
    try:
        return schedules.will_end(schedule_id)
    except ServiceError:
        return []


def why_not(schedule_id: int) -> None:
    """Why it was not run, with the way to what stands in its way."""
    refused = st.session_state.get(NOT_RUN)
    if refused is None or refused[0] != schedule_id:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="schedule_not_run"):
        st.warning(say.plain(refused[1]), title="It was not run", icon=":material/block:")
        for task_id in refused[2][-3:]:
            st.page_link(pages.page("task"), label=f"Open #{task_id}", query_params={"id": str(task_id)})
        st.button("Close", key="schedule_not_run_close", type="tertiary", on_click=_seen)


def _seen() -> None:
    st.session_state.pop(NOT_RUN, None)


def ask(act: str, schedule_id: int) -> None:
    """For a button's callback: open the dialog at the next full run."""
    st.session_state[ASKED] = (act, schedule_id)
    st.session_state.pop(REFUSED, None)
    st.rerun()


def show_if_asked() -> None:
    """At the end of the page."""
    asked = st.session_state.pop(ASKED, None)
    if asked is None:
        return
    try:
        row = schedules.get(asked[1])
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return
    st.dialog(say.plain(f"{asked[0]} {say.short(row.name, 50)}"))(_body)(*asked)


def _body(act: str, schedule_id: int) -> None:
    st.caption(SAY[act])
    if act == "Delete":
        _what_ends(schedules.will_end(schedule_id))
    shown = "Shown to everybody" if act == "Switch off" else "Shown in the audit trail"
    st.text_input("Reason", key=REASON, max_chars=500, placeholder=shown)
    if refused := st.session_state.get(REFUSED):
        st.error(say.plain(refused))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Leave it", key="schedule_no", on_click=st.rerun)
        st.button(act, key="schedule_yes", type="primary", on_click=_do, args=(act, schedule_id))


def _what_ends(live: list[int]) -> None:
    if not live:
        st.markdown("None of its runs is under way.")
        return
    named = ", ".join(f"\\#{task_id}" for task_id in live[:MOST_NAMED])
    more = f" and {len(live) - MOST_NAMED:,} more" if len(live) > MOST_NAMED else ""
    st.markdown(
        f"**{say.many(len(live), 'run')}** of it {'has' if len(live) == 1 else 'have'} not ended: {named}{more}"
    )
    st.toggle("Cancel them, too", key=CANCEL, help="What waits is cancelled, what runs is asked to stop.")


def _do(act: str, schedule_id: int) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason: Any = str(st.session_state.get(REASON) or "").strip()
    try:
        with who.acting():
            if act == "Switch off":
                schedules.disable(schedule_id, reason)
            elif act == "Switch on":
                schedules.enable(schedule_id, reason or None)
            else:
                cancel = bool(st.session_state.get(CANCEL))
                ended = schedules.delete(schedule_id, reason or None, cancel_runs=cancel)
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)
        return
    schedule_reads.forget()
    if act == "Delete":
        told = f", and {say.many(len(ended), 'run')} cancelled or asked to stop" if ended else ""
        tell.later(f"It is deleted{told}")
        st.switch_page(pages.page("schedules"), query_params={})
    st.rerun()
