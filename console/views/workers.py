"""Live processes, and the queues they serve."""

import zlib
from dataclasses import replace

import pandas as pd
import streamlit as st

from console import figures, pages, who
from console.figures import Stand
from console.ui import asking, charts, living, parts, queue_dialog, say
from console.ui.cards import Board
from models import Role, Worker, now
from services.attention import Processes
from services.depths import Depths
from services.queues import QueueState

MOST_SHOWN = 100  # processes; the rest is counted

span = parts.title_with_span("Workers and queues", "6h")


@living.every(4)
def processes() -> None:
    """Who beats, who fell silent, who died."""
    cards = Board()
    stand, work = cards.ask(figures.stand), cards.ask(figures.at_work)
    both = replace(stand, reference=stand.reference or work.reference)
    cards.card("processes", "Processes", both, lambda found: grid(found.processes, work.value or {}))
    cards.close()


def grid(found: Processes, work: dict[str, list]) -> None:
    """One line a process; a ticked one can be stopped."""
    all_of_them = [*found.silent, *found.alive, *found.died]
    both = all_of_them[:MOST_SHOWN]
    if not both:
        parts.empty("power_off", "No process is alive.", "`make start` starts workers and the scheduler.")
        return
    threads = sum(w.threads for w in found.of("worker"))
    busy = sum(w.busy for w in found.of("worker"))
    st.caption(f"{say.many(len(found.of('worker')), 'worker')} alive, {busy:,} of {threads:,} threads busy.")
    silent = {one.name for one in found.silent}
    columns = {
        "State": st.column_config.MultiselectColumn(
            width=95, options=list(STATES), color=[STATES[state] for state in STATES]
        ),
        "Busy": st.column_config.ProgressColumn(min_value=0, max_value=100, format="%d%%", width=95),
        "Process": st.column_config.TextColumn(width=165),
        "Runs": st.column_config.TextColumn(width=270, help="What it does now, the longest first"),
        "Last beat": st.column_config.TextColumn(width=85),
        "Queues": st.column_config.TextColumn(width=75),
    }
    # The widget is another one when other processes are shown: a tick is a place, not a name
    generation = zlib.crc32("".join(one.name for one in both).encode())
    event = st.dataframe(
        pd.DataFrame([_process(w, w.name in silent, work.get(w.name, [])) for w in both]), column_config=columns,
        hide_index=True, row_height=30, height=parts.height(len(both)), placeholder="–",
        key=f"workers_grid{generation}", alt="Processes", on_select="rerun", selection_mode="single-row",
    )  # fmt: skip
    if len(all_of_them) > MOST_SHOWN:
        st.caption(f"The first {MOST_SHOWN} of {len(all_of_them):,}.")
    at = next(iter(event.selection.rows), None)
    if at is not None and at < len(both):
        detail(both[at], work.get(both[at].name, []))


STATES = {"Alive": "green", "Silent": "red", "Draining": "orange", "Asked to stop": "orange", "Died": "red"}


def _state(worker: Worker, silent: bool) -> str:
    if worker.stopped_at is not None:
        return "Died"
    if silent:
        return "Silent"
    return "Draining" if worker.draining_at else "Asked to stop" if worker.stop_requested_at else "Alive"


def _process(worker: Worker, silent: bool, work: list) -> dict[str, object]:
    works = worker.kind == "worker"
    until = worker.stopped_at or now()
    return {
        "State": [_state(worker, silent)], "Process": worker.name, "Kind": worker.kind,
        "Last beat": say.ago(worker.last_beat_at),
        "Busy": 100 * worker.busy / max(1, worker.threads) if works else None,
        "Threads": f"{worker.busy} of {worker.threads}" if works else None, "Runs": _runs(work) if works else None,
        "Memory": say.size(worker.rss) if worker.rss else None, "Version": say.visible(worker.code_version),
        "Up": say.duration((until - worker.started_at).total_seconds()),
        "Queues": say.visible("all" if worker.queues is None else ", ".join(worker.queues)) if works else None,
        "Host": worker.host, "PID": str(worker.pid),
    }  # fmt: skip


def _runs(work: list) -> str | None:
    said = ", ".join(f"#{task_id} {type_}" for task_id, type_, *_ in work[:3])
    return say.visible(said + (f" and {len(work) - 3} more" if len(work) > 3 else "")) or None


def detail(chosen: Worker, work: list) -> None:
    """What the ticked process runs, and its end in good order."""
    if chosen.stopped_at is not None:
        st.caption(f"{say.plain(chosen.name)}: {say.plain(chosen.stop_reason or '')}")
        return
    for task_id, type_, title, started in work[:10]:
        words = f"#{task_id} {say.plain(say.short(title or type_, 60))}, started {say.ago(started)}"
        st.page_link(pages.page("task"), label=words, icon=":material/play_circle:", query_params={"id": str(task_id)})
    if chosen.kind == "worker":
        st.button(
            f"Stop {say.plain(chosen.name)}…", icon=":material/power_settings_new:", key="worker_stop",
            on_click=queue_dialog.ask, args=("Stop", chosen.name),
            disabled=not who.may(Role.operator) or chosen.stop_requested_at is not None,
        )  # fmt: skip


@living.every(4)
def lines() -> None:
    """How long the lines were, and one card a queue."""
    cards = Board()
    stand, depths = cards.ask(figures.stand), cards.ask(figures.depths, span)
    height = None if depths.value is not None and _quiet(depths.value) else 260
    cards.card("depth", "Tasks in line", depths, lambda found: depth(found, cards), height)
    if stand.value is None or stand.reference is not None:
        cards.card("lines", "Queues", stand, boxes)
    else:
        boxes(stand.value)
    cards.close()


def depth(found: Depths, cards: Board) -> None:
    """The course of each queue's depth."""
    if _quiet(found):
        st.caption("Nothing stood in line in this span.")
        return
    marks = cards.ask(figures.deploys, span).value or []
    st.echarts_chart(
        charts.depth(found.columns, found.queued, marks, say.zone()), height=190, key="depth_chart",
        alt="Tasks in line over time, by queue",
    )  # fmt: skip


def _quiet(found: Depths) -> bool:
    return not any(n for line in found.queued.values() for n in line)


def boxes(stand: Stand) -> None:
    """One card a queue."""
    if not stand.queues:
        parts.empty("stacks", "There is no queue yet: the first task makes one.")
        return
    unserved = dict(stand.unserved)
    with st.grid(3, min_column_width=300, key="queues"):
        for queue in stand.queues:
            with st.container(border=True, height="stretch", key=f"queue_{queue.name}"):
                _queue(queue, queue.name in unserved)


def _queue(queue: QueueState, unserved: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.page_link(pages.page("tasks"), label=f"**{say.plain(queue.name)}**", query_params={"queue": queue.name})
        if queue.paused:
            st.badge("Paused", icon=":material/pause:", color="orange")
        if unserved:
            st.badge("No worker", icon=":material/warning:", color="red")
    waits = say.ago(queue.oldest_queued_at).removesuffix(" ago") if queue.oldest_queued_at else None
    limit = f" of at most {queue.max_running:,}" if queue.max_running else ""
    parts.facts(
        {
            "In line": f"{queue.depth:,}" + (f", the oldest for {waits}" if waits else ""),
            "Running": f"{queue.running:,}{limit}", "Pending": f"{queue.pending:,}",
            "Paused": _paused(queue) if queue.paused else None,
        }
    )  # fmt: skip
    with st.container(horizontal=True, gap="xsmall"):
        act = "Resume" if queue.paused else "Pause"
        st.button(
            act, key=f"{act}_{queue.name}", disabled=not who.may(Role.operator),
            icon=":material/play_arrow:" if queue.paused else ":material/pause:", on_click=queue_dialog.ask,
            args=(act, queue.name),
        )  # fmt: skip
        st.button(
            "Limit", key=f"limit_{queue.name}", icon=":material/speed:", disabled=not who.may(Role.operator),
            on_click=queue_dialog.ask, args=("Limit", queue.name),
        )  # fmt: skip


def _paused(queue: QueueState) -> str:
    by = (queue.paused_by or "somebody").removeprefix("operator:")
    return f"{say.at(queue.paused_at)} by {by}: {queue.pause_reason}"


processes()
st.header("Queues", anchor=False)
lines()
asking.show_if_asked()
