"""The dialog that runs slots of the past: first what it would come to, then doing it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from console import schedule_reads, who
from console.ui import say, tell
from console.ui import schedule_words as words
from models import Schedule, now
from services import schedules
from services.errors import InvalidInput, ServiceError
from services.schedules import Backfill

ASKED, REFUSED, DONE = "_backfill_asked", "_backfill_refused", "_backfill_done"
SINCE, UNTIL, ORDER, SPREAD, REASON = (
    "backfill_since", "backfill_until", "backfill_order", "backfill_spread", "backfill_reason",
)  # fmt: skip
ORDERS = ("The oldest first", "The newest first")


def ask(schedule_id: int) -> None:
    """For a button's callback."""
    st.session_state[ASKED] = schedule_id
    for key in (REFUSED, DONE):
        st.session_state.pop(key, None)
    st.rerun()


def show_if_asked() -> bool:
    """At the end of the page. Returns whether it is open: two dialogs cannot be."""
    schedule_id = st.session_state.pop(ASKED, None)
    if schedule_id is None:
        return False
    try:
        row = schedules.get(schedule_id)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return False
    st.dialog(say.plain(f"Backfill {say.short(row.name, 50)}"), icon=":material/history:", width="medium")(_body)(row)
    return True


def _body(row: Schedule) -> None:
    if (done := st.session_state.get(DONE)) is not None:
        st.success(
            f"{say.many(len(done), 'task')} accepted, \\#{min(done)} to \\#{max(done)}.", icon=":material/check:"
        )
        st.button("Close", key="backfill_close", type="primary", on_click=st.rerun)
        return
    st.caption("Runs the slots of a range that have not run. They are marked as backfill in the history.")
    zone = words.zone(row)
    today = now().astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    left, right = st.columns(2)
    left.datetime_input(f"From ({say.plain(row.zone)})", today - timedelta(days=1), key=SINCE, format="DD/MM/YYYY")
    right.datetime_input(f"To ({say.plain(row.zone)})", today, key=UNTIL, format="DD/MM/YYYY")
    left.radio("Order", ORDERS, key=ORDER)
    right.number_input(
        "Minutes from one start to the next", value=0.0, min_value=0.0, key=SPREAD, format="%g",
        help="0: as soon as a worker is free, and the policy for overlap allows it.",
    )  # fmt: skip
    plan = _plan(row)
    st.text_input("Reason", key=REASON, max_chars=500, placeholder="Shown in the audit trail")
    if refused := st.session_state.get(REFUSED):
        st.error(say.sentence(refused))
    many = len(plan.slots) if plan else 0
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Leave it", key="backfill_no", on_click=st.rerun)
        st.button(
            f"Run {say.many(many, 'slot')}", key="backfill_yes", type="primary", disabled=not many, on_click=_do,
            args=(row.id, row.zone),
        )  # fmt: skip


def _plan(row: Schedule) -> Backfill | None:
    """What it would come to."""
    try:
        plan = schedules.preview_backfill(row.id, **_asked(row.zone))
    except ServiceError as refusal:
        st.warning(say.sentence(refusal), icon=":material/error:")
        return None
    out = f" {say.many(plan.left_out, 'other')} of the range ran before and {_are(plan.left_out)} left out." * bool(
        plan.left_out
    )
    if not plan.slots:
        st.info(f"No slot of this range is left to run.{out}", icon=":material/info:")
        return plan
    zone = words.zone(row)
    first, last = (say.plain(words.on_the_minute(slot.at, zone)) for slot in (plan.slots[0], plan.slots[-1]))
    st.markdown(f"**{say.many(len(plan.slots), 'task')}**, the first for {first}, the last for {last}.{out}")
    pace = "Each waits until the one before has ended." if plan.one_after_another else "They may run side by side."
    if len(plan.run_at) > 1 and plan.run_at[-1] > plan.run_at[0]:
        over = say.duration((plan.run_at[-1] - plan.run_at[0]).total_seconds())
        pace += f" Their starts are spread over {over}."
    st.caption(pace)
    return plan


def _are(many: int) -> str:
    return "is" if many == 1 else "are"


def _asked(zone: str) -> dict[str, Any]:
    def instant(key: str) -> datetime:
        typed = st.session_state.get(key)
        if not isinstance(typed, datetime):
            field = key.removeprefix("backfill_")
            raise InvalidInput(field, "is empty; give a time")
        return typed.replace(tzinfo=ZoneInfo(zone))

    return {
        "since": instant(SINCE), "until": instant(UNTIL), "newest_first": st.session_state.get(ORDER) == ORDERS[1],
        "spread": 60 * float(st.session_state.get(SPREAD) or 0),
    }  # fmt: skip


def _do(schedule_id: int, zone: str) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip() or None
    try:
        with who.acting():
            done = schedules.backfill(schedule_id, **_asked(zone), reason=reason)
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)
        return
    if not done.task_ids:
        st.session_state[REFUSED] = "No slot of this range is left to run: somebody was faster"
        return
    st.session_state.pop(REFUSED, None)
    st.session_state[DONE] = done.task_ids
    schedule_reads.forget()
