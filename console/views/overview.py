"""What runs, what waits and why."""

import pandas as pd
import streamlit as st

from console import reads
from console.ui import look, say
from models import Status, Task

st.title("Overview")


@st.fragment(run_every=4)
def board() -> None:
    """The part that lives."""
    stand = reads.overview()
    with st.grid(6, min_column_width=130, key="counts"):
        for status in Status:
            st.metric(look.NAMES[status], f"{stand.counts[status]:,}", border=True)
    alive = f"{say.many(len(stand.workers), 'worker')} alive" if stand.workers else "no worker is alive"
    busy, threads = sum(w.busy for w in stand.workers), sum(w.threads for w in stand.workers)
    st.caption(f"{alive} · {busy} of {threads} threads busy")
    st.subheader("Latest tasks")
    rows = reads.latest(20, say.zone().key)
    if not rows:
        st.caption("No task has been accepted yet.")
        return
    columns = {
        "Status": look.pill_column(width=110), "Progress": st.column_config.ProgressColumn(max_value=100, format="%d%%")
    }  # fmt: skip
    frame = pd.DataFrame([_row(task, why) for task, why in rows])
    st.dataframe(
        frame, column_config=columns, hide_index=True, row_height=30, placeholder="–", alt="Latest tasks"
    )


def _row(task: Task, why: str | None) -> dict[str, object]:
    return {
        "Task": str(task.id), "Status": [look.NAMES[task.status]], "Type": say.visible(task.type),
        "Title": say.visible(task.title), "Progress": task.progress_percent, "Waits because": why,
        "Created": say.ago(task.created_at),
    }  # fmt: skip


board()
