"""Run a task: a form drawn from its type's contract."""

from math import inf
from typing import Any

import streamlit as st

from console import pages, who
from console.ui import form, how, look, once, parts, say, schema, tell
from models import Role, Task
from services import catalog, json_text, tasks
from services.errors import InvalidInput, ServiceError

parts.title("Run a task")


def again() -> Task | None:
    """The task whose arguments the form starts with; `task` is how the inbox comes back with a result."""
    number = st.query_params.get("again") or st.query_params.get("task", "")
    try:
        return tasks.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 16 else None
    except ServiceError as refusal:
        st.warning(say.sentence(refusal))
        return None


def send(
    name: str, payload: dict[str, Any], options: dict[str, Any], rerun_of: int | None, kept: dict[str, Any]
) -> str:
    """Check, store what was uploaded, enqueue, and go to the task; where that is refused, returns the sentence.

    `kept` comes back with the task: how the form stood beside what is in the arguments.
    """
    said = repr((name, payload, options, rerun_of))
    with once.turn() as clicks:
        if (sent := clicks.made(said, inf)) is not None:
            pages.open_task(sent)
        try:
            with who.acting():
                tasks.check(name, form.standing_in(payload), **options)
                context = {"return_path": f"/run?run_type={name}", "form": kept}
                made = tasks.enqueue(name, form.stored(payload), rerun_of=rerun_of, context=context, **options)
                clicks.note(said, made.id or 0)
        except ServiceError as refusal:
            return str(refusal)
    words = "lives already" if made.deduplicated else "is accepted"
    tell.later(f"Task #{made.id} {words}")
    return pages.open_task(made.id or 0)


def _form(context: dict[str, Any] | None) -> dict[str, Any]:
    left = (context or {}).get("form")
    return left if isinstance(left, dict) else {}


old = again()
types = catalog.declared()
if not types:
    parts.empty("widgets", "No worker has declared a task type yet.", "Start one, then look again.")
    st.stop()
if old is not None and old.type in types and st.session_state.get("_run_again") != old.id:
    st.session_state["_run_again"] = old.id
    st.session_state["run_type"] = old.type
names = sorted(types)
name = st.selectbox("Task type", names, key="run_type", bind="query-params", width=420) or names[0]
chosen = types[name]
if old is not None and old.type != name:
    old = None
if chosen.doc:
    st.caption(say.plain(chosen.doc.splitlines()[0]))
if old is not None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="again_of"):
        when = f" {say.ago(old.finished_at)}" if old.finished else ""
        came = f"{look.NAMES[old.status].lower()}{when}"
        st.caption(f"A new task with the arguments of #{old.id} ({came}); change what you like.", width="content")
        st.page_link(pages.page("task"), label=f"Open #{old.id}", query_params={"id": str(old.id)})
key = f"run/{name}/{old.id if old else 0}"
body, side = st.columns([3, 2], gap="large")
payload: dict[str, Any] = {}
options: dict[str, Any] = {}
wrong: str | None = None
with body:
    try:
        asked = schema.fields(chosen.schema)
        body_of_old = old.body if old else None
        given, was = (body_of_old.payload, _form(body_of_old.context)) if body_of_old else ({}, {})
        as_json = st.toggle("Write the arguments as JSON", value=was.get("as_json") is True, key=f"{key}#json")
        if as_json:
            text = st.text_area("Arguments", say.pretty(given), key=f"{key}#text", height=260)
            payload = json_text.parsed(text, "arguments")
        elif asked:
            payload = form.draw(asked, given, key)
        else:
            st.caption("It takes no arguments.")
        with st.expander("When, where and how", icon=":material/tune:", key=f"{key}#how"):
            before = how.before(old) if old else {}
            options = how.draw(chosen.queue, before, key)
    except InvalidInput as refusal:
        wrong = str(refusal)
    refusal_shown = st.empty()
    if wrong:
        refusal_shown.error(say.sentence(wrong), icon=":material/error:")
    allowed = who.may(Role.member)
    # No callback: it would run with what the form held before the last word was typed
    if st.button(
        "Run it", type="primary", icon=":material/play_arrow:", key="run_it", disabled=wrong is not None or not allowed,
        help=None if allowed else "This takes the role member", shortcut="Ctrl+Enter",
    ):  # fmt: skip
        refused = wrong or send(name, payload, options, old.id if old else None, {"as_json": as_json})
        refusal_shown.error(say.sentence(refused), icon=":material/error:")
    else:  # the form is looked at, not clicked: the next click is a new wish
        with once.turn() as clicks:
            clicks.forget()
with side:
    st.caption("The same from Python")
    if wrong is None and isinstance(payload, dict):
        st.code(say.visible(say.python(name, payload, options)), language="python", wrap_lines=True)
