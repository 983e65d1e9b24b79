"""How a task is to be queued: the options beside its arguments."""

import re
from typing import Any

import streamlit as st

from console import reads
from console.ui import say
from models import Task
from services import wall
from services.errors import InvalidInput

POLICIES = {"cancel": "Cancel this one too", "run_anyway": "Run all the same", "hold": "Hold it for a person"}


def before(old: Task) -> dict[str, Any]:
    """What the fields start with for a task like an old one; its time and what it waited for are past."""
    return {
        "title": old.title, "priority": old.priority, "queue": old.queue, "tags": old.tags,
        "unique_key": old.unique_key,
    }  # fmt: skip


def draw(default_queue: str, given: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields; returns what differs from what applies anyhow. Raises `InvalidInput`."""
    left, right = st.columns(2)
    with left:
        title = st.text_input("Title", value=given.get("title", ""), key=f"{key}#title", max_chars=200)
        priority = st.slider(
            "Priority", 1, 100, given.get("priority", 50), key=f"{key}#priority", help="Higher goes first"
        )
        _, queues = reads.names()
        start_queue = given.get("queue", default_queue)
        names = sorted({*queues, default_queue, start_queue})
        queue = st.selectbox(
            "Queue",
            names,
            index=names.index(start_queue),
            key=f"{key}#queue",
            accept_new_options=True,
        )
        tags = st.text_input(
            "Tags", value=", ".join(given.get("tags", ())), key=f"{key}#tags", placeholder="nightly, lisbon"
        )
    with right:
        start = st.datetime_input(
            f"Start at ({say.plain(say.zone().key)})", value=None, key=f"{key}#start", format="DD/MM/YYYY",
            help="Empty: as soon as a worker is free",
        )  # fmt: skip
        needs = st.text_input("Needs", key=f"{key}#needs", placeholder="41, 42", help="Numbers of tasks to wait for")
        policy = st.selectbox(
            "If one of them fails", list(POLICIES), format_func=lambda p: POLICIES[p], key=f"{key}#policy",
            disabled=not needs,
        )  # fmt: skip
        unique = st.text_input(
            "Unique key",
            value=given.get("unique_key") or "",
            key=f"{key}#unique",
            max_chars=200,
            help="While such a task lives, no other starts",
        )
    said: dict[str, Any] = {
        "title": title.strip(), "tags": [tag.strip() for tag in tags.split(",") if tag.strip()],
        "needs": numbers(needs), "unique_key": unique.strip() or None,
    }  # fmt: skip
    if said["needs"]:
        said["on_parent_failure"] = policy
    if start is not None:
        said["run_at"] = wall.instant(start, say.zone(), "run_at")
    said |= {"priority": priority} if priority != 50 else {}
    said |= {"queue": queue} if queue and queue != default_queue else {}
    return {name: value for name, value in said.items() if value not in ("", None, [])}


def numbers(text: str) -> list[int]:
    """`#41, 42` as numbers. Raises `InvalidInput`."""
    parts = [part.strip().removeprefix("#") for part in re.split(r"[,\s]+", text) if part.strip()]
    wrong = [part for part in parts if not (part.isascii() and part.isdigit() and len(part) < 16)]
    if wrong:
        raise InvalidInput("needs", f"{wrong[0][:40]!r} is not the number of a task")
    return [int(part) for part in parts]
