"""One task: everything about it."""

import streamlit as st

from console import pages, who
from console.ui import confirm, living, outage, say, task_parts
from models import Task
from services import inbox, tasks
from services.errors import ServiceError

WATCHED, SHOWN = "_task_watched", "_task_shown"

st.page_link(pages.page("tasks"), label="Tasks", icon=":material/arrow_back:", query_params={})


def asked() -> Task:
    """The task that the address names; where there is none, the page ends with a sentence."""
    number = st.query_params.get("id", "")
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            st.error(
                "The address should end in a number, such as /task?id=41.",
                title=f"No task {say.plain(number)}",
            )
            st.stop()
        return tasks.get(int(number))
    except ServiceError:
        st.error("It may have been cleared away when its time was over.", title=f"No task #{number}")
        st.stop()


first_look = asked()
# Another task begins at its own first tab, and not at the one where the last was left
if st.session_state.get(SHOWN) not in (None, first_look.id) and "tab" not in st.query_params:
    st.session_state.pop("tab", None)
st.session_state[SHOWN] = first_look.id
live = not first_look.finished
# Whoever comes to a task that has ended has seen how; whoever watched it end still has it in the inbox
if live:
    st.session_state[WATCHED] = first_look.id
elif first_look.owner == who.me().operator.id and st.session_state.get(WATCHED) != first_look.id:
    with who.acting():
        inbox.mark_read([first_look.id])
    st.session_state[WATCHED] = first_look.id


@living.every(2 if live else None)
@outage.told()
def board() -> None:
    """The part that lives while the task does."""
    task = asked()
    if live and task.finished and not confirm.is_open():
        st.rerun()  # a last time: the next full run finds it ended
    task_parts.header(task)
    task_parts.state(task)
    task_parts.details(task)


board()
confirm.show_if_asked()
