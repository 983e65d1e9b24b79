"""What the buttons of a schedule's page do: run it now, switch it on or off, delete it."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from console import pages, schedule_reads, who
from console.ui import asking, once, say, tell
from console.ui.asking import Question
from services import schedules
from services.errors import ServiceError

NOT_RUN, CANCEL = "_schedule_not_run", "schedule_cancel_runs"
MEANS = {
    "Switch off": "It fires no more until it is switched on again. What it has enqueued goes on.",
    "Switch on": "It fires again from its next slot on. Slots that passed meanwhile are written down as skipped.",
    "Delete": "It fires no more, and cannot be brought back. Its history and its tasks stay.",
}
MOST_NAMED = 8


def run_now(schedule_id: int) -> None:
    """For a button's callback: one run out of turn."""
    wish = "run now", schedule_id
    try:
        with once.turn() as clicks, who.acting():
            task = clicks.made(wish) or schedules.run_now(schedule_id)
            clicks.note(wish, task)
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
    try:
        name = schedules.get(schedule_id).name
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return
    acts: dict[str, Callable[[str], Any]] = {
        "Switch off": lambda reason: schedules.disable(schedule_id, reason),
        "Switch on": lambda reason: schedules.enable(schedule_id, reason or None),
        "Delete": lambda reason: schedules.delete(
            schedule_id, reason or None, cancel_runs=bool(st.session_state.get(CANCEL))
        ),
    }
    seen = asking.EVERYBODY if act == "Switch off" else asking.AUDIT
    fields = (lambda: _what_ends(schedules.will_end(schedule_id))) if act == "Delete" else None
    after = _deleted if act == "Delete" else lambda _: schedule_reads.forget()
    need = "Say why: everybody who looks at it reads it." if act == "Switch off" else None
    asking.ask(Question(act, name, MEANS[act], acts[act], seen, need, fields, after))


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


def _deleted(ended: list[int]) -> None:
    schedule_reads.forget()
    told = f", and {say.many(len(ended), 'run')} cancelled or asked to stop" if ended else ""
    tell.later(f"It is deleted{told}")
    st.switch_page(pages.page("schedules"), query_params={})
