"""The dialog before an act that takes a reason: what the act means, why it is done, and a refusal in its place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from console import who
from console.ui import say
from services.errors import ServiceError

ASKED, REFUSED = "_asking", "_asking_refused"
REASON = "ask_reason"
EVERYBODY, AUDIT = "Shown to everybody", "Shown in the audit trail"


@dataclass(frozen=True)
class Question:
    """What is asked before one act."""

    act: str  # on the button
    what: str  # it is done to
    means: str
    do: Callable[[str], Any]  # given the reason, which may be empty; raises `ServiceError`
    seen: str | None = AUDIT  # where the reason will be read; None: no reason is asked for
    need: str | None = None  # what is said where no reason is given; None: it may be left out
    fields: Callable[[], None] | None = None  # draws what else is asked
    after: Callable[[Any], None] = lambda _: None  # given what the act returned


def ask(question: Question) -> None:
    """For a button's callback: open the dialog at the next full run."""
    st.session_state[ASKED] = question
    st.session_state.pop(REFUSED, None)
    st.rerun()


def show_if_asked() -> bool:
    """At the end of a page, outside of its fragments. Returns whether there is one: two cannot be open."""
    question = st.session_state.pop(ASKED, None)
    if question is not None:
        st.dialog(f"{question.act} {say.plain(say.short(question.what, 50))}")(_body)(question)
    return question is not None


def _body(question: Question) -> None:
    st.caption(question.means)
    if question.fields is not None:
        question.fields()
    if question.seen is not None:
        label = "Reason" if question.need else "Reason (optional)"
        st.text_input(label, key=REASON, max_chars=500, placeholder=question.seen)
    if refused := st.session_state.get(REFUSED):
        st.error(say.sentence(refused))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Leave it", key="ask_no", on_click=st.rerun)
        st.button(question.act, key="ask_yes", type="primary", on_click=_do, args=(question,))


def _do(question: Question) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip() if question.seen else ""
    if question.need and not reason:
        st.session_state[REFUSED] = question.need
        return
    try:
        with who.acting():
            done = question.do(reason)
    except ServiceError as refusal:
        st.session_state[REFUSED] = str(refusal)
        return
    question.after(done)
    st.rerun()
