"""The part of the form that says what happens when something goes otherwise; and how its tasks are queued."""

from typing import Any

import streamlit as st

from console import reads
from console.ui.schedule_spots import Spots
from models import Missed, Overlap

AS_TYPE = "As its type says"
OVERLAP = {
    Overlap.skip: ("Skip the slot", "The earlier run goes on; the slot is passed over, and the history says so."),
    Overlap.queue_one: ("Queue one", "It starts when the earlier run has ended; slots due meanwhile are skipped."),
    Overlap.cancel_previous: ("Cancel the earlier run", "The earlier run is asked to stop; this one starts after it."),
    Overlap.allow: ("Let them overlap", "Both run side by side."),
}
MISSED = {
    Missed.skip: ("Leave them out", "They are written down as missed; the next slot runs at its time."),
    Missed.once: ("Catch up once", "The newest of them runs, if it is not older than the window."),
    Missed.all: ("Catch up all", "One after another, the newest hundred of them."),
}


def draw(given: dict[str, Any], key: str, spots: Spots) -> dict[str, Any]:
    """Draw the policies; returns them as a schedule has them."""
    left, right = st.columns(2, gap="medium")
    said: dict[str, Any] = {}
    with left:
        said["overlap"] = _choice("If an earlier run has not ended", OVERLAP, given.get("overlap"), f"{key}#overlap")
        spots.here("overlap")
    with right:
        said["missed"] = _choice(
            "Slots that passed while no scheduler ran", MISSED, given.get("missed") or Missed.once, f"{key}#missed"
        )
        hours = st.number_input(
            "Window (hours)", value=_short(given.get("missed_window", 86_400) / 3600), key=f"{key}#window",
            min_value=0.0, disabled=said["missed"] != "once", help="Older ones are not caught up.", format="%g",
        )  # fmt: skip
        said["missed_window"] = (hours or 0) * 3600
        spots.here("missed_window")
    left, right = st.columns(2, gap="medium")
    with left:
        said["retries"] = st.number_input(
            "Retries", value=given.get("retries", 3), step=1, key=f"{key}#retries",
            help="How often a run that failed is tried again before it counts as failed.",
        )  # fmt: skip
        spots.here("retries")
        said["timeout"] = st.number_input(
            "Timeout (seconds)", value=_short(given.get("timeout", 300)), key=f"{key}#timeout", format="%g",
            help="A run that takes longer is stopped.",
        )  # fmt: skip
        spots.here("timeout")
    with right:
        said["pause_after"] = st.number_input(
            "Pause after failures in a row", value=given.get("pause_after"), step=1, key=f"{key}#pause",
            placeholder="Never", help="It is then switched off, and Overview says so. Empty: never.",
        )  # fmt: skip
        spots.here("pause_after")
        said["keep_runs"] = st.number_input(
            "Keep runs", value=given.get("keep_runs", 20), step=1, key=f"{key}#keep",
            help="So many tasks are kept in full. The rows of its fires stay longer.",
        )  # fmt: skip
        spots.here("keep_runs")
    return said


def _choice(label: str, words: dict[Any, tuple[str, str]], given: Any, key: str) -> str:
    names = [each.value for each in words]
    return st.radio(
        label, names, names.index(given) if given in names else 0, key=key, format_func=lambda n: _of(words, n)[0],
        captions=[_of(words, name)[1] for name in names],
    )  # fmt: skip


def _of(words: dict[Any, tuple[str, str]], name: str) -> tuple[str, str]:
    return next(said for each, said in words.items() if each.value == name)


def _short(number: float) -> float:
    return round(float(number), 6)


def queueing(given: dict[str, Any], key: str, spots: Spots) -> dict[str, Any]:
    """Draw how its tasks stand in line; returns it as a schedule has it."""
    left, right = st.columns(2, gap="medium")
    with left:
        _, queues = reads.names()
        queue = given.get("queue")
        names = [AS_TYPE, *sorted({*queues, *([queue] if queue else [])})]
        chosen = st.selectbox(
            "Queue", names, names.index(queue) if queue else 0, key=f"{key}#queue", accept_new_options=True
        )
        spots.here("queue")
        tags = st.text_input("Tags", ", ".join(given.get("tags") or ()), key=f"{key}#tags", placeholder="nightly, mail")
        spots.here("tags")
    with right:
        priority = st.slider(
            "Priority", 1, 100, given.get("priority", 50), key=f"{key}#priority", help="Higher goes first"
        )
        unique = st.text_input(
            "Unique key", given.get("unique_key") or "", key=f"{key}#unique",
            help="While such a task lives, a slot makes no other, and counts as deduplicated.",
        )  # fmt: skip
        spots.here("unique_key")
        jitter = st.number_input(
            "Jitter (seconds)", value=given.get("jitter", 0), step=1, key=f"{key}#jitter",
            help="Each fire comes later by up to so much, so that many schedules do not start in the same second.",
        )  # fmt: skip
        spots.here("jitter")
    return {
        "queue": None if chosen in (None, AS_TYPE) else chosen, "priority": priority, "jitter": jitter or 0,
        "tags": [tag.strip() for tag in tags.split(",") if tag.strip()], "unique_key": unique.strip() or None,
    }  # fmt: skip
