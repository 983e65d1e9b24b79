"""Whether the ledger keeps its own rules, when somebody asks: the check, what it found, and repairing what is safe.

Nothing is looked at before a click, and never in a page's run: the check goes on in the background of the console.
"""

import streamlit as st

from console import who
from console.ui import living, say
from models import Role
from services.doctor import Result, checkup
from services.doctor.checkup import Checkup, State
from services.errors import ServiceError

ASKED, REFUSED = "_repair_asked", "_repair_refused"
SHOWN = 10  # findings of one rule


def show() -> None:
    """The card; it looks every second while a check is at work."""
    living.every(1 if _latest_is_busy() else None)(_card)()
    if st.session_state.pop(ASKED, False):
        st.dialog("Repair what is safe", icon=":material/build:")(_confirm)()


def _latest() -> Checkup | None:
    with who.acting():
        return checkup.latest()


def _latest_is_busy() -> bool:
    found = _latest()
    ticking = found is not None and found.busy
    st.session_state["_check_ticks"] = ticking
    return ticking


def _card() -> None:
    found = _latest()
    busy = found is not None and found.busy
    if busy != st.session_state.get("_check_ticks"):
        st.rerun()  # from now on it ticks, or no longer
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="check_head"
    ):
        st.header("Ledger check", anchor=False, width="content")
        st.button(
            "Check now" if found is None else "Check again", key="check_now", icon=":material/fact_check:",
            type="primary" if found is None else "secondary", disabled=busy, on_click=_begin,
        )  # fmt: skip
    st.caption(
        "Asks whether the ledger keeps its own rules: that every task ended once, that nothing waits for what is over, "
        "that counts are true. Nothing is locked or changed; over a million tasks it takes some seconds."
    )
    if refused := st.session_state.get(REFUSED):
        st.error(say.sentence(refused), icon=":material/error:")
    if found is not None:
        _progress(found) if busy else _outcome(found)


def _begin() -> None:
    st.session_state.pop(REFUSED, None)
    try:
        with who.acting():
            checkup.begin()
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)


def _progress(found: Checkup) -> None:
    if found.state is State.repairing:
        st.progress(1.0, "Repairing, each repair an event in the audit trail …")
    elif (left := found.again_in_s) is not None:
        words = f"Looking once more in {left:.0f} s at what may have been on its way …"
        st.progress(min(1.0, found.looked / found.of), words)
    else:
        st.progress(found.looked / found.of, f"{found.looked} of {found.of} rules looked at …")


def _outcome(found: Checkup) -> None:
    when = f"Checked {say.ago(found.ended_at)} by {found.by}."
    if found.state is State.failed:
        st.error(
            say.plain(found.sentence or ""), title="The ledger could not be checked", icon=":material/cloud_off:"
        )  # fmt: skip
        st.caption(say.plain(when))
        return
    if found.repaired:
        lines = [f"{say.plain(rule)}: **{many:,}**" for rule, many in found.repaired.items()]
        st.success("  \n".join(lines), title="Repaired", icon=":material/build:")
    broken = found.broken
    verb = "is" if len(broken) == 1 else "are"
    if broken:
        st.error(
            say.plain(f"{len(broken)} of {found.of} rules {verb} broken. {when}"),
            title="Something is wrong", icon=":material/heart_broken:",
        )  # fmt: skip
    else:
        st.success(
            say.plain(f"All {found.of - len(_skipped(found))} rules that were asked about hold. {when}"),
            title="The ledger is sound", icon=":material/verified:",
        )  # fmt: skip
    for n, result in enumerate(broken):
        _rule(n, result)
    for why in sorted({result.skipped for result in _skipped(found) if result.skipped}):
        many = sum(result.skipped == why for result in _skipped(found))
        st.caption(say.plain(f"{say.many(many, 'rule')} not asked about, as {why}."))
    _offer(found)


def _skipped(found: Checkup) -> list[Result]:
    return [result for result in found.results if result.skipped is not None]


def _rule(n: int, result: Result) -> None:
    many = len(result.findings)
    with st.container(border=True, gap="xsmall", key=f"broken_{n}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{say.plain(result.check.rule)}**", width="content")
            safe = result.check.mend is not None
            st.badge(
                "can be repaired" if safe else "takes a person", color="blue" if safe else "orange",
                icon=":material/build:" if safe else ":material/person:",
            )  # fmt: skip
        st.text("\n".join(say.visible(say.short(str(finding), 300)) for finding in result.findings[:SHOWN]))
        if many > SHOWN:
            more = f"{many - SHOWN:,} or more" if result.more else f"{many - SHOWN:,}"
            st.caption(f"And {more} others; `make doctor` in a terminal shows up to a thousand.")


def _offer(found: Checkup) -> None:
    if not found.mendable:
        if found.broken:
            st.caption("What is broken cannot be worked out from the ledger: it takes a person to decide.")
        return
    if who.may(Role.admin):
        st.button("Repair what is safe", key="repair_ask", icon=":material/build:", on_click=_ask)
    else:
        st.caption("Repairing takes the role admin.")


def _ask() -> None:
    st.session_state[ASKED] = True
    st.session_state.pop(REFUSED, None)
    st.rerun()


def _confirm() -> None:
    """What would be repaired, as it was found; the repair looks anew first."""
    found = _latest()
    if found is None or not found.mendable:
        st.markdown("There is nothing to repair any more.")
        return
    for result in found.mendable:
        many = f"{len(result.findings):,}{' or more' if result.more else ''}"
        st.markdown(f"{say.plain(result.check.rule)}: **{many}**")
    left = len(found.broken) - len(found.mendable)
    st.caption(
        "Only what can be worked out again from what is there is changed, after another look. Each repair is an event "
        "in the audit trail." + (f" {say.many(left, 'broken rule')} will be left to a person." if left else "")
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Leave it", key="repair_no", on_click=st.rerun)
        st.button("Repair", key="repair_yes", type="primary", on_click=_repair, args=(found,))


def _repair(found: Checkup) -> None:
    try:
        with who.acting():
            checkup.repair(found)
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)
    st.rerun()
