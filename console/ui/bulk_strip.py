"""A line for each bulk act of the signed-in person that runs or stopped midway, and the way to its dialog."""

import streamlit as st

from console import who
from console.ui.bulk_words import WORDS
from services import audit, bulk

OPEN = "_bulk_open"
MOST = 3


def show() -> None:
    """Draw the lines. Call it inside a fragment."""
    with audit.acting_as(who.me().operator):
        found = bulk.mine()[:MOST]
    for job in found:
        with st.container(horizontal=True, vertical_alignment="center", key=f"bulk_strip{job.id}"):
            done, total = (job.run.at, job.run.at + job.run.left) if job.run else (0, 0)
            words = WORDS[job.act].doing if job.busy else f"{WORDS[job.act].name}: stopped"
            st.progress(done / total if total else 0.0, text=f"{words} · {done:,} of {total:,}")
            st.button("Show", key=f"bulk_show{job.id}", on_click=open_job, args=(job.id,))


def open_job(job_id: int) -> None:
    """For a button's callback: the dialog of a job that there is, on the next full run."""
    st.session_state[OPEN] = job_id
    st.rerun()
