"""The parts of a task's page, from its head to its tabs."""

from datetime import UTC
from typing import Any

import streamlit as st

from console import acts, pages, reads, who
from console.ui import confirm, event_words, log_lines, look, parts, readable, rows, say, task_tabs, timeline
from models import Role, Status, Task, waiting
from services.search import TaskFilter

MOST_ALIKE = 100
ACTIONS = ("Cancel", "Rerun", "Release", "Set priority", "Delete", "Restore")
TABS = {
    "Attempts": task_tabs.attempts,
    "Log": lambda task: log_lines.show(task.id or 0),
    "Arguments": task_tabs.arguments,
    "Result": task_tabs.result,
    "Files": task_tabs.files,
    "Related": task_tabs.related,
    "History": task_tabs.events,
}


def header(task: Task) -> None:
    """What it is, and what can be done with it."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.title(say.plain(task.title or task.type), anchor=False, width="content")
            st.badge(look.NAMES[task.status], icon=look.icon(task.status), color=_colour(task))
            if task.deleted_at is not None:
                st.badge("Deleted", icon=":material/delete:", color="gray")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            for name in ACTIONS:
                act = acts.ACTS[name]
                if act.effect(task) is not None:
                    st.button(
                        act.name, key=f"task_{name}", icon=f":material/{act.icon}:", on_click=confirm.ask,
                        args=(name, task.id), disabled=not act.may(task),
                    )  # fmt: skip
            if who.may(Role.member):
                st.button(
                    "Run again…",
                    key="task_again",
                    icon=":material/content_copy:",
                    on_click=_again,
                    args=(task.id,),
                )
    st.caption(f"{say.plain(task.type)} · task #{task.id} · queue {say.plain(task.queue)} · priority {task.priority}")
    if task.schedule_id is not None:
        st.page_link(
            pages.page("schedule"), label=f"Schedule \\#{task.schedule_id}", icon=":material/event_repeat:",
            query_params={"id": str(task.schedule_id)},
        )  # fmt: skip
    timeline.show(task)


def state(task: Task) -> None:
    """Why it waits, how far it is, or what it came to."""
    if task.cancel_requested_at is not None:
        _cancellation(task)
    if task.status in (Status.pending, Status.queued):
        why = waiting.reason(task, say.zone()) or "it starts within a second"
        st.info(say.plain(why[:1].upper() + why[1:]), icon=look.icon(task.status))
    elif task.status is Status.running:
        _progress(task)
    elif task.status is Status.failed:
        st.error(say.plain(task.error or "No words were left."), title=say.plain(task.error_class or "Failed"))
        _alike(task)


def _alike(task: Task) -> None:
    """Who failed in the same way."""
    if task.fingerprint is None:
        return
    alike = TaskFilter(status=Status.failed, error=task.fingerprint)
    others = [number for number in reads.newest(alike, MOST_ALIKE + 1) if number != task.id]
    if not others:
        st.caption("No other task has failed in this way.")
        return
    many = f"{MOST_ALIKE}+" if len(others) > MOST_ALIKE - 1 else f"{len(others)}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="alike"):
        words = "other task has failed in this way" if many == "1" else "other tasks have failed in this way"
        st.caption(f"{many} {words}:", width="content")
        for number in others[:3]:
            st.page_link(pages.page("task"), label=f"#{number}", query_params={"id": str(number)})
        st.page_link(
            pages.page("tasks"), label="Show all", icon=":material/arrow_forward:",
            query_params={"error": task.fingerprint, "status": look.NAMES[Status.failed]},
        )  # fmt: skip


def details(task: Task) -> None:
    """Facts at the side, tabs for all the rest."""
    main, side = st.columns([3, 1], gap="medium")
    with side, st.container(border=True, key="task_facts"):
        parts.facts(_facts(task))
    with main:
        names = list(TABS)
        for tab, (name, draw) in zip(
            st.tabs(names, key="tab", on_change="rerun", bind="query-params", default=_first(task)),
            TABS.items(), strict=True,
        ):  # fmt: skip
            if tab.open:
                with tab, st.container(key=f"tab_{name.lower()}"):
                    draw(task)


def _first(task: Task) -> str:
    return "Result" if task.status is Status.completed else "Attempts" if task.status is Status.failed else "Log"


def _colour(task: Task) -> Any:
    return look.COLOURS[task.status]


def _cancellation(task: Task) -> None:
    who_asked = say.plain((task.cancel_requested_by or "somebody").removeprefix("operator:"))
    words = [f"Asked by {who_asked} at {say.at(task.cancel_requested_at)}"]
    if task.cancel_reason:
        words[0] += f": {say.plain(task.cancel_reason)}"
    if task.cancel_seen_at is not None:
        words.append(f"seen at {say.at(task.cancel_seen_at)}")
    elif task.status is Status.running:
        words.append("not seen yet; it is at its next checkpoint")
    if task.status is Status.cancelled:
        words.append(f"stopped at {say.at(task.finished_at)}")
    elif task.finished:
        words.append(f"it ended first: {task.status.value}")
    st.warning(" → ".join(words), title="Cancellation", icon=":material/cancel:")


def _progress(task: Task) -> None:
    done = task.progress_percent
    left = remaining_s(task)
    note = [say.plain(task.progress_note)] if task.progress_note else []
    if task.progress_total and not task.progress_note:
        note.append(f"{readable.word(task.progress_done)} of {readable.word(task.progress_total)}")
    if left is not None:
        note.append(f"about {say.duration(left)} left" if left >= 1 else "should be done any moment")
    st.progress(min(100, max(0, int(done or 0))) / 100, text=" · ".join(note) or "Running")


def remaining_s(task: Task) -> float | None:
    """Seconds it should still take: by its own pace once 5 % are done, before that by what its type took."""
    ran = rows.ran_s(task)
    if ran is None:
        return None
    if task.progress_percent and task.progress_percent >= 5:
        return ran * (100 - task.progress_percent) / task.progress_percent
    return max(0.0, task.estimated_duration_s - ran) if task.estimated_duration_s else None


def _attempts(task: Task) -> str:
    if not task.epoch:
        return "none" if task.finished else "none yet"
    return f"{task.epoch} ({task.tries} of {task.max_tries} tries failed)"


def _facts(task: Task) -> dict[str, str | None]:
    ran = rows.ran_s(task)
    return {
        "Created by": event_words.maker(task.created_by_kind, task.created_by_id),
        "Attempts": _attempts(task),
        "Workers lost": str(task.losses) if task.losses else None,
        "Ran": None if ran is None else say.duration(ran),
        "Expected": None if task.estimated_duration_s is None else say.duration(task.estimated_duration_s),
        "Timeout": None if task.timeout_s is None else say.duration(task.timeout_s),
        "Worker": task.worker if task.status is Status.running else None,
        "Unique key": task.unique_key,
        "Concurrency key": task.concurrency_key,
        "Tags": ", ".join(task.tags) or None,
        "Starts at": say.at(task.run_at) if _has_its_time(task) else None,
        "Expires at": None if task.expires_at is None or task.finished else say.at(task.expires_at),
        "Created (UTC)": f"{task.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
    }


def _has_its_time(task: Task) -> bool:
    return task.status is Status.pending and not task.waits_on and task.held_reason is None


def _again(task_id: int) -> None:
    st.switch_page(pages.page("run"), query_params={"again": str(task_id)})
