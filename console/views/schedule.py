"""One schedule: what it does and when, how it went, and what can be done with it."""

import streamlit as st

from console import pages, who
from console.ui import (
    asking,
    living,
    outage,
    say,
    schedule_acts,
    schedule_backfill,
    schedule_definition,
    schedule_form,
    schedule_history,
    schedule_parts,
    tell,
)
from models import Role, Schedule
from services import schedules
from services.errors import ServiceError

st.page_link(pages.page("schedules"), label="Schedules", icon=":material/arrow_back:", query_params={})


def asked() -> Schedule:
    """The schedule that the address names; where there is none, the page ends with a sentence."""
    number = st.query_params.get("id", "")
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            st.error(
                "The address should end in a number, such as /schedule?id=4.", title=f"No schedule {say.plain(number)}"
            )
            st.stop()
        return schedules.get(int(number))
    except ServiceError as refusal:
        st.error(f"{say.plain(refusal)}. It may have been deleted after its time.", title=f"No schedule #{number}")
        st.stop()


@living.every(3)
@outage.told()
def board() -> None:
    """The part that lives."""
    row = asked()
    tell.show()
    schedule_parts.header(row)
    schedule_acts.why_not(row.id)
    schedule_parts.state(row)
    schedule_parts.figures(row)
    schedule_parts.calendar(row)
    schedule_parts.last_runs(row)


number = asked().id
board()
tabs = {
    "History": lambda: schedule_history.board(number),
    "Definition": lambda: schedule_definition.definition(asked()),
}
if who.may(Role.operator):
    tabs["Changes"] = lambda: schedule_definition.changes(asked())
for tab, (name, draw) in zip(
    st.tabs(list(tabs), key="schedule_tab", on_change="rerun", bind="query-params", default="History"), tabs.items(),
    strict=True,
):  # fmt: skip
    if tab.open:
        with tab, st.container(key=f"schedule_tab_{name.lower()}"):
            draw()
if not (asking.show_if_asked() or schedule_backfill.show_if_asked()):
    schedule_form.show_if_asked()
