"""The dialogs that pause, resume and limit a queue, and that stop a worker."""

import streamlit as st

from console import figures, who
from console.ui import say
from services import queues, workers
from services.errors import ServiceError

ASKED, REFUSED = "_queue_asked", "_queue_refused"
REASON, MOST = "queue_reason", "queue_most"
SAY = {
    "Pause": "No worker takes from it until it is resumed. What runs goes on.",
    "Resume": "Workers take from it again at once.",
    "Limit": "At most so many of its tasks run at once, over all workers. What runs goes on.",
    "Stop": "It takes nothing more, finishes what it has or hands it back, and ends. Its supervisor starts another.",
}


def ask(act: str, name: str) -> None:
    """For a button's callback."""
    st.session_state[ASKED] = (act, name)
    st.session_state.pop(REFUSED, None)
    st.rerun()


def show_if_asked() -> None:
    """At the end of the page."""
    asked = st.session_state.pop(ASKED, None)
    if asked is not None:
        st.dialog(f"{asked[0]} {say.short(say.visible(asked[1]), 40)}")(_body)(*asked)


def _body(act: str, name: str) -> None:
    st.caption(SAY[act])
    if act == "Limit":
        now = queues.get(name).max_running
        st.number_input("At most", 1, queues.MOST_RUNNING, now, key=MOST, placeholder="No limit", step=1)
    else:
        shown = "Shown in the audit trail" if act == "Stop" else "Shown to everybody"
        st.text_input("Reason", key=REASON, max_chars=500, placeholder=shown)
    if refused := st.session_state.get(REFUSED):
        st.error(say.plain(refused))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Leave it", key="queue_no", on_click=st.rerun)
        st.button(act, key="queue_yes", type="primary", on_click=_do, args=(act, name))


def _do(act: str, name: str) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip()
    try:
        with who.acting():
            if act == "Pause":
                queues.pause(name, reason)
            elif act == "Resume":
                queues.resume(name, reason or None)
            elif act == "Stop":
                workers.request_stop(name, reason or None)
            else:
                queues.set_max_running(name, st.session_state.get(MOST))
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)
        return
    figures.forget()
    st.rerun()
