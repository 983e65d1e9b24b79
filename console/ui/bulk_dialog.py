"""The dialog of a bulk act: the dry run in words, the reason, progress with a stop, the results, the way back.

It opens on a full run, at the end of a page. What it draws lives in a fragment of its own, which looks every second.
"""

from collections.abc import Sequence

import streamlit as st

from console import who
from console.ui import bulk_results, bulk_words, living, say, tell
from console.ui.bulk_strip import OPEN, open_job
from console.ui.bulk_words import WORDS
from models import Role
from services import bulk, sessions
from services.bulk import Act, Job, State
from services.errors import Forbidden, ServiceError
from services.search import TaskFilter

FIRST, TROUBLE = "_bulk_first", "_bulk_trouble"
REASON, PRIORITY = "confirm_reason", "confirm_priority"
AT_ONCE_S = 0.8  # what is done by then shows no progress


def ask(act: Act, which: TaskFilter | Sequence[int], first: int | None = None) -> None:
    """For a button's callback: count, and open the dialog on the next full run. With `first`, so many go ahead."""
    st.session_state[FIRST], st.session_state[TROUBLE] = first, None
    try:
        with who.acting():
            session_id = who.me().id
            job = bulk.start(act, which, check=lambda: _signed_in(session_id))
        job.wait(AT_ONCE_S)
        open_job(job.id)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)


def show_if_asked() -> None:
    """At the end of a page, outside of its fragments."""
    job_id = st.session_state.pop(OPEN, None)
    if job_id is None:
        return
    try:
        job = _found(job_id)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return
    title = bulk_words.headline(job.act, job.which, job.undoes)
    st.dialog(title, icon=f":material/{WORDS[job.act].icon}:", width="medium")(_body)(job_id)


def _body(job_id: int) -> None:
    living.every(1)(_live)(job_id)


def _live(job_id: int) -> None:
    try:
        job = _found(job_id)
    except ServiceError as refusal:
        st.error(say.sentence(refusal))
        return
    if job.state is State.counting:
        st.progress(0.0, text=f"Counting · {say.many(job.seen, 'task')} so far")
        _buttons(("Stop", "bulk_stop", job.stop, ()))
    elif job.state is State.ready:
        _ready(job)
    elif job.state is State.running:
        _running(job)
    elif job.state is State.failed:
        st.error(say.plain(job.sentence or ""), icon=":material/block:")
        if job.run is not None and job.run.at:
            bulk_results.show(job)
        _buttons(("Close", "confirm_close", _close, ()))
    else:
        _ended(job)


def _ready(job: Job) -> None:
    plan = job.plan
    counts = plan.counts
    if job.act is Act.reprioritise and not plan.priorities:
        priority = st.number_input("Priority", 1, 100, 50, key=PRIORITY, help="1 to 100; higher goes first")
        counts = plan.at(int(priority))
    st.markdown("  \n".join(bulk_words.lines(counts)) or "No task matches any more.")
    if plan.filter is not None:
        st.caption("Exactly these tasks: what comes to match from now on is not touched.")
    many = sum(n for (_, what), n in counts.items() if what.changes)
    if many and not job.undoes:
        st.caption(WORDS[job.act].undo)
    if job.undoes and job.act is Act.rerun:
        st.caption("They start from the beginning, at once.")
    needed = plan.filter is not None and not job.undoes
    st.text_input(
        "Reason" if needed else "Reason (optional)", key=REASON, max_chars=500, placeholder="Shown in the audit trail"
    )
    if trouble := st.session_state.get(TROUBLE):
        st.warning(say.sentence(trouble), icon=":material/edit:")
    first = st.session_state.get(FIRST)
    name, ahead = WORDS[job.act].name, first is not None and many > first
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Keep as they are" if many != 1 else "Keep as it is", key="confirm_no", on_click=_close)
        if ahead:
            st.button(f"{name} all {many:,}", key="confirm_all", on_click=_go, args=(job.id, needed))
        st.button(
            f"{name} {first} first" if ahead else f"{name} {say.many(many, 'task')}" if many else name,
            type="primary", key="confirm_yes", disabled=not many, on_click=_go,
            args=(job.id, needed, first if ahead else None),
        )  # fmt: skip


def _running(job: Job) -> None:
    assert job.run is not None
    total = job.run.at + job.run.left
    st.progress(job.run.at / total if total else 0.0, text=f"{WORDS[job.act].doing} · {job.run.at:,} of {total:,}")
    st.caption(
        "It goes on when this is closed, as long as the console's server runs; the task list shows how far it is."
    )
    _buttons(("Stop", "bulk_stop", job.stop, ()))


def _ended(job: Job) -> None:
    assert job.run is not None
    if job.state is State.paused:
        st.markdown(f"**{job.run.at:,}** of {job.run.at + job.run.left:,} are done; the others are as they were.")
        if job.sentence:
            st.warning(say.plain(job.sentence))
    bulk_results.show(job)
    with st.container(horizontal=True, horizontal_alignment="right"):
        if job.may_undo:
            st.button("Undo", key="bulk_undo", icon=":material/undo:", on_click=_undo, args=(job.id,))
        if job.state is State.paused:
            st.button("Leave the others", key="bulk_leave", on_click=_leave, args=(job,))
            name = WORDS[job.act].name
            st.button(
                f"{name} the other {job.run.left:,}", key="bulk_rest", type="primary", on_click=_go,
                args=(job.id, False),
            )  # fmt: skip
        else:
            st.button("Close", key="confirm_close", type="primary", on_click=_close)


def _go(job_id: int, needs_reason: bool, first: int | None = None) -> None:
    """Reads what was typed itself: a click may arrive together with the last word."""
    reason = str(st.session_state.get(REASON) or "").strip() or None
    if needs_reason and reason is None:
        st.session_state[TROUBLE] = "Say why: it is done to all that match."
        return
    st.session_state[TROUBLE] = None
    try:
        job = _found(job_id)
        with who.acting():
            job.begin(
                reason, priority=st.session_state.get(PRIORITY) if job.act is Act.reprioritise else None, first=first
            )
        job.wait(AT_ONCE_S)
    except ServiceError as refusal:
        st.session_state[TROUBLE] = str(refusal)
    st.cache_data.clear()


def _undo(job_id: int) -> None:
    try:
        with who.acting():
            back = bulk.find(job_id).undo()
    except ServiceError as refusal:
        st.session_state[TROUBLE] = str(refusal)
        return
    back.wait(AT_ONCE_S)
    open_job(back.id)


def _leave(job: Job) -> None:
    job.leave()
    _close()


def _close() -> None:
    st.session_state[TROUBLE] = None
    st.rerun()


def _buttons(*given: tuple) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        for label, key, act, args in given:
            st.button(label, key=key, on_click=act, args=args)


def _found(job_id: int) -> Job:
    with who.acting():
        return bulk.find(job_id)


def _signed_in(session_id: int) -> None:
    if sessions.of_id(session_id) is None:
        raise Forbidden("You were signed out; what was done until then stays done.")


def may() -> bool:
    """Whether the signed-in person may act on anything at all."""
    return who.may(Role.member)
