"""The dialog before an act: what it would do as things stand now, why, and afterwards what became of each task."""

from collections.abc import Sequence

import streamlit as st

from console import acts
from console.ui import say
from services.errors import ServiceError

ASKED, OPEN = "_confirm_asked", "_confirm_open"
RESULTS = "_confirm_results"
REASON, PRIORITY = "confirm_reason", "confirm_priority"


def ask(act_name: str, ids: Sequence[int]) -> None:
    """For a button's callback: open the dialog on the next full run."""
    st.session_state[ASKED] = (act_name, tuple(ids))
    st.session_state.pop(RESULTS, None)
    st.rerun()


def show_if_asked() -> None:
    """At the end of a page, outside of its fragments."""
    asked = st.session_state.pop(ASKED, None)
    st.session_state[OPEN] = asked is not None  # a full run closes it, and so does what closes it by a full run
    if asked is not None:
        act = acts.ACTS[asked[0]]
        st.dialog(f"{act.name} {_counted(asked[1])}", icon=f":material/{act.icon}:", on_dismiss=_forget)(_body)(
            act, asked[1]
        )


def is_open() -> bool:
    """Whether a person is at it: a full run now would take it out of their hands, with what they typed."""
    return bool(st.session_state.get(OPEN))


def _body(act: acts.Act, ids: Sequence[int]) -> None:
    results = st.session_state.get(RESULTS)
    if results is not None:
        return _report(results)
    changed, effects = acts.dry_run(act, ids)
    for effect, count in effects.most_common():
        st.markdown(f"**{count:,}** {say.plain(effect)}")
    if act.name == "Set priority" and changed:
        st.number_input("Priority", 1, 100, 50, key=PRIORITY, help="1 to 100; higher goes first")
    st.text_input("Reason", key=REASON, max_chars=500, placeholder="Shown in the audit trail")
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Keep as they are" if len(ids) > 1 else "Keep as it is", key="confirm_no", on_click=_close)
        st.button(
            f"{act.name} {_counted(changed)}" if changed else act.name,
            type="primary", key="confirm_yes", disabled=not changed, on_click=_do, args=(act, tuple(changed)),
        )  # fmt: skip
    return None


def _do(act: acts.Act, ids: Sequence[int]) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip() or None
    more = {"priority": st.session_state.get(PRIORITY)} if act.name == "Set priority" else {}
    try:
        st.session_state[RESULTS] = acts.perform(act, ids, reason, **more)
    except ServiceError as refusal:
        st.session_state[RESULTS] = [acts.Result(0, False, str(refusal))]
    st.cache_data.clear()


def _report(results: Sequence[acts.Result]) -> None:
    done = [r for r in results if r.done]
    if done:
        st.success(f"{_counted([r.task_id for r in done])} {done[0].sentence}.", icon=":material/check:")
    for refused in [r for r in results if not r.done][:20]:
        st.text(say.visible(refused.sentence))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Close", key="confirm_close", type="primary", on_click=_close)


def _close() -> None:
    _forget()
    st.rerun()


def _forget() -> None:
    st.session_state.pop(RESULTS, None)


def _counted(ids: Sequence[int]) -> str:
    return f"task #{ids[0]}" if len(ids) == 1 else say.many(len(ids), "task")
