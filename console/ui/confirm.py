"""The dialog before an act on one task: what it would do as things stand now, why, and afterwards what became of it."""

import streamlit as st

from console import acts
from console.ui import say

ASKED, OPEN = "_confirm_asked", "_confirm_open"
RESULT = "_confirm_result"
REASON, PRIORITY = "confirm_reason", "confirm_priority"


def ask(act_name: str, task_id: int) -> None:
    """For a button's callback: open the dialog on the next full run."""
    st.session_state[ASKED] = (act_name, task_id)
    st.session_state.pop(RESULT, None)
    st.rerun()


def show_if_asked() -> None:
    """At the end of a page, outside of its fragments."""
    asked = st.session_state.pop(ASKED, None)
    st.session_state[OPEN] = asked is not None  # a full run closes it, and so does what closes it by a full run
    if asked is not None:
        act, task_id = acts.ACTS[asked[0]], asked[1]
        st.dialog(_words(act, task_id), icon=f":material/{act.icon}:", on_dismiss=_forget)(_body)(act, task_id)


def is_open() -> bool:
    """Whether a person is at it: a full run now would take it out of their hands, with what they typed."""
    return bool(st.session_state.get(OPEN))


def _body(act: acts.Act, task_id: int) -> None:
    result = st.session_state.get(RESULT)
    if result is not None:
        return _report(result)
    before = acts.dry_run(act, task_id)
    st.markdown(say.plain(before.sentence))
    if act.name == "Set priority" and before.done:
        wanted = st.number_input("Priority", 1, 100, 50, key=PRIORITY, help="1 to 100; higher goes first")
        before = acts.dry_run(act, task_id, priority=int(wanted))
        if not before.done:
            st.caption(say.plain(before.sentence))
    st.text_input("Reason (optional)", key=REASON, max_chars=500, placeholder="Shown in the audit trail")
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Keep as it is", key="confirm_no", on_click=_close)
        st.button(
            _words(act, task_id), type="primary", key="confirm_yes", disabled=not before.done, on_click=_do,
            args=(act, task_id),
        )  # fmt: skip
    return None


def _do(act: acts.Act, task_id: int) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip() or None
    more = {"priority": st.session_state.get(PRIORITY)} if act.name == "Set priority" else {}
    st.session_state[RESULT] = acts.perform(act, task_id, reason, **more)
    st.cache_data.clear()


def _report(result: acts.Result) -> None:
    if result.done:
        st.success(say.plain(result.sentence), icon=":material/check:")
    else:
        st.warning(say.sentence(result.sentence), icon=":material/block:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Close", key="confirm_close", type="primary", on_click=_close)


def _close() -> None:
    _forget()
    st.rerun()


def _forget() -> None:
    st.session_state.pop(RESULT, None)


def _words(act: acts.Act, task_id: int) -> str:
    return f"{act.name}{' of' if act.name == 'Set priority' else ''} task #{task_id}"
