"""Live processes, and the queues they serve."""

import pandas as pd
import streamlit as st

from console import pages, reads, who
from console.ui import parts, queue_dialog, say
from models import Role, Worker, now
from services import workers
from services.errors import ServiceError
from services.queues import QueueState

parts.title("Workers and queues")


def stop(name: str) -> None:
    """Ask a worker to finish what it has and end; its supervisor starts another."""
    try:
        with who.acting():
            workers.request_stop(name, "asked from the console")
        st.toast("It finishes what it has, and ends.", icon=":material/check:")
    except ServiceError as refusal:
        st.toast(say.plain(refusal), icon=":material/error:")
    reads.overview.clear()


@st.fragment(run_every=4)
def processes() -> None:
    """Who beats."""
    stand = reads.overview()
    both = [*stand.workers, *stand.schedulers]
    if not both:
        parts.empty("power_off", "No process is alive.", "`make start` starts workers and the scheduler.")
        return
    columns = {
        "Busy": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d%%", width=130),
        "Process": st.column_config.TextColumn(width=260),
        "Queues": st.column_config.TextColumn(width=200),
    }  # fmt: skip
    event = st.dataframe(
        pd.DataFrame([_process(w) for w in both]), column_config=columns, hide_index=True, row_height=30,
        height=parts.height(len(both)), placeholder="–", key="workers_grid", alt="Live processes",
        on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    at = next(iter(event.selection.rows), None)
    chosen = both[at] if at is not None and at < len(both) else None
    if chosen is not None and chosen.kind == "worker":
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Stop {chosen.name}", icon=":material/power_settings_new:", key="worker_stop", on_click=stop,
                args=(chosen.name,), disabled=not who.may(Role.operator) or chosen.stop_requested_at is not None,
            )  # fmt: skip
            st.caption("It finishes what it has; its supervisor starts another.", width="content")


def _process(worker: Worker) -> dict[str, object]:
    state = "draining" if worker.draining_at else "asked to stop" if worker.stop_requested_at else "alive"
    works = worker.kind == "worker"
    return {
        "Process": worker.name, "Kind": worker.kind, "State": state,
        "Busy": 100 * worker.busy / max(1, worker.threads) if works else None,
        "Threads": f"{worker.busy} of {worker.threads}" if works else None,
        "Queues": ("all" if worker.queues is None else ", ".join(worker.queues)) if works else None,
        "Memory": say.size(worker.rss) if worker.rss else None, "Version": worker.code_version,
        "Up": say.duration((now() - worker.started_at).total_seconds()), "Last beat": say.ago(worker.last_beat_at),
    }  # fmt: skip


@st.fragment(run_every=4)
def lines() -> None:
    """One card a queue."""
    found = reads.overview().queues
    if not found:
        parts.empty("stacks", "There is no queue yet: the first task makes one.")
        return
    with st.grid(3, min_column_width=300, key="queues"):
        for queue in found:
            with st.container(border=True, key=f"queue_{queue.name}"):
                _queue(queue)


def _queue(queue: QueueState) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.page_link(pages.page("tasks"), label=f"**{say.plain(queue.name)}**", query_params={"queue": queue.name})
        if queue.paused:
            st.badge("Paused", icon=":material/pause:", color="orange")
    waits = say.ago(queue.oldest_queued_at).removesuffix(" ago") if queue.oldest_queued_at else None
    limit = f" of at most {queue.max_running:,}" if queue.max_running else ""
    parts.facts(
        {
            "In line": f"{queue.depth:,}" + (f", the oldest for {waits}" if waits else ""),
            "Running": f"{queue.running:,}{limit}", "Pending": f"{queue.pending:,}",
            "Paused": f"{say.at(queue.paused_at)} by {queue.paused_by}: {queue.pause_reason}" if queue.paused else None,
        }
    )  # fmt: skip
    with st.container(horizontal=True, gap="xsmall"):
        for act in ("Resume",) if queue.paused else ("Pause",):
            st.button(
                act, key=f"{act}_{queue.name}", disabled=not who.may(Role.operator),
                icon=":material/play_arrow:" if queue.paused else ":material/pause:", on_click=queue_dialog.ask,
                args=(act, queue.name),
            )  # fmt: skip
        st.button(
            "Limit", key=f"limit_{queue.name}", icon=":material/speed:", disabled=not who.may(Role.operator),
            on_click=queue_dialog.ask, args=("Limit", queue.name),
        )  # fmt: skip


processes()
st.subheader("Queues", anchor=False)
lines()
queue_dialog.show_if_asked()
