"""What an empty ledger offers: real work on a bundled sample, in one click."""

import streamlit as st

from console import pages, who
from console.ui import once, say, tell
from models import Role
from services import samples
from services.errors import ServiceError

STEPS = (
    ("query_stats", "Analyse 2,000 made-up deals", "data quality, win rates with intervals, what is at risk"),
    ("casino", "Simulate the pipeline", "10,000 runs of several what-ifs, with progress to watch"),
    ("picture_as_pdf", "Write the report", "a PDF and slides, made of what the first two found"),
)


def show() -> None:
    """The first minute."""
    with st.container(border=True, key="first_run"):
        st.markdown("## Callboard is up, and has nothing to do yet")
        st.markdown("See it at work on a sample: three tasks, of which each waits for the ones before.")
        for icon, name, what in STEPS:
            st.markdown(f":primary[:material/{icon}:]&ensp;**{name}** :gray[– {what}]")
        why = samples.missing() or (None if who.may(Role.member) else "This takes the role member")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                "Run the sample", type="primary", icon=":material/play_arrow:", key="run_sample", on_click=_run,
                disabled=why is not None,
            )  # fmt: skip
            if who.may(Role.member):
                st.page_link(pages.page("run"), label="Run a task of your own", query_params={})
        if why:
            st.caption(say.plain(why))


def _run() -> None:
    try:
        with once.turn() as clicks, who.acting():
            made = clicks.made("sample") or samples.run({"return_path": "/"})
            clicks.note("sample", made)
    except ServiceError as refusal:
        tell.later(str(refusal), good=False)
        return
    st.cache_data.clear()
    pages.open_task(made[-1].id or 0)
