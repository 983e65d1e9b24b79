"""What became of the tasks of a bulk act: totals, and a line for those that were refused or went ahead."""

import streamlit as st

from console.ui import bulk_words, look, say
from services import search
from services.bulk import Job, State
from services.bulk.run import MOST_REFUSED

SHOWN = 20


def show(job: Job) -> None:
    """Totals; then the tasks themselves, where they are few; then the refusals."""
    run = job.run
    if run is None:
        return
    changed = +type(run.counts)({key: n for key, n in run.counts.items() if key[1].changes})
    if changed:
        st.success("  \n".join(bulk_words.lines(changed, done=True)), icon=":material/check:")
    others = +type(run.counts)({key: n for key, n in run.counts.items() if not key[1].changes})
    for line in bulk_words.lines(others, done=True):
        st.markdown(line)
    if run.done and (job.state is State.paused or len(run.done) <= SHOWN):
        _now(list(run.done[:SHOWN]))
    if run.refused:
        with st.expander(f"Left alone, each with the reason ({_capped(len(run.refused))})"):
            st.text("\n".join(say.visible(sentence) for _, sentence in run.refused))


def _now(ids: list[int]) -> None:
    """How these stand at this moment."""
    tasks = search.by_ids(ids)
    lines = [f"#{task.id} · {look.NAMES[task.status].lower()}" for task in tasks]
    st.caption("As they stand now")
    st.text("\n".join(lines))


def _capped(many: int) -> str:
    return f"the first {many:,}" if many >= MOST_REFUSED else f"{many:,}"
