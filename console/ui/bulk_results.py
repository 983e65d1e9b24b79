"""What became of the tasks of a bulk act: totals, and a line for those that were refused or went ahead."""

import streamlit as st

from console.ui import bulk_words, look, say
from services import search
from services.bulk import Job
from services.bulk.run import MOST_REFUSED

SHOWN = 200
FEW = 10  # are shown without a click


def show(job: Job) -> None:
    """Totals; then the tasks themselves, where they are few; then the refusals."""
    run = job.run
    if run is None:
        return
    changed = +type(run.counts)({key: n for key, n in run.counts.items() if key[1].changes})
    if changed:
        st.success("  \n".join(bulk_words.lines(changed, done=True)), icon=":material/check:")
    others = +type(run.counts)({key: n for key, n in run.counts.items() if not key[1].changes})
    if others:
        st.markdown("  \n".join(bulk_words.lines(others, done=True)))
    if run.done:
        few = len(run.done) <= FEW
        with st.expander(f"Each as it stands now ({_capped(len(run.done), SHOWN)})", expanded=few, key="bulk_each"):
            st.text("\n".join(_now(list(run.done[:SHOWN]))))
    if run.refused:
        with st.expander(f"Left alone, and why ({_capped(len(run.refused), MOST_REFUSED)})", key="bulk_refused"):
            st.text("\n".join(say.visible(sentence) for _, sentence in run.refused))


def _now(ids: list[int]) -> list[str]:
    """A line each: the task and its status at this moment."""
    return [f"#{task.id}  {look.NAMES[task.status].lower()}" for task in search.by_ids(ids)]


def _capped(many: int, most: int) -> str:
    return f"the first {most:,}" if many >= most else f"{many:,}"
