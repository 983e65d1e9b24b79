"""All tasks: looked for, looked at, acted on."""

import streamlit as st

from console import pages, who
from console.ui import bulk_dialog, bulk_strip, filters, grid, living, outage, parts, tell
from models import Role

parts.title("Tasks")
wanted = filters.chosen()


def clear() -> None:
    """The way back to all of them."""
    st.button("Show all tasks", key="show_all", on_click=_clear)


def _clear() -> None:
    filters.clear()
    st.rerun()  # the filters stand outside of the fragment


def run_one() -> None:
    """The way to the first."""
    if who.may(Role.member):
        st.page_link(pages.page("run"), label="Run a task", icon=":material/play_circle:", query_params={})


@living.every(4)
@outage.told()
def board() -> None:
    """The part that lives."""
    tell.show()
    bulk_strip.show()
    if wanted is None:
        return
    shot = grid.snapshot("tasks", wanted)
    shot.fill()
    if shot.ids:
        grid.show("tasks", shot)
        return
    shot.thaw()  # look again at the next tick
    if filters.any_chosen():
        parts.empty("filter_alt_off", "No task matches these filters.", action=clear)
    else:
        parts.empty("inbox", "No task has been accepted yet.", action=run_one)


board()
bulk_dialog.show_if_asked()
