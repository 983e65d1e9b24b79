"""The tabs of a schedule's page beside its history: all that it says, and who changed it."""

from datetime import datetime
from typing import Any

import streamlit as st

from console import who
from console.ui import event_words, parts, readable, say, schedule_parts, schedule_policies
from console.ui import schedule_words as words
from models import Schedule, now
from services import history


def definition(row: Schedule) -> None:
    """All that it says."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**When**")
        parts.facts(
            {
                "Rule": words.rule(row), "Cron": row.cron, "Counted from": _at(row.anchor_at),
                "Not before": _at(row.start_at), "Not after": _at(row.end_at),
                "Jitter": say.duration(row.jitter_s) if row.jitter_s else None,
            }
        )  # fmt: skip
        st.markdown("**Arguments**")
        if row.payload:
            readable.show(row.payload)
        else:
            st.caption("None.")
    with right:
        st.markdown("**When things go otherwise**")
        parts.facts(_policies(row))
        st.markdown("**Where from**")
        parts.facts(_origin(row))


def _policies(row: Schedule) -> dict[str, Any]:
    window = f", not older than {say.duration(row.missed_window_s)}" if row.missed == "once" else ""
    return {
        "An earlier run has not ended": schedule_policies.OVERLAP[row.overlap][0],
        "Slots that passed": schedule_policies.MISSED[row.missed][0] + window,
        "Retries": f"{row.retries:,}", "Timeout": say.duration(row.timeout_s), "Pauses": schedule_parts.pauses(row),
        "Keeps": say.many(row.keep_runs, "run"), "Queue": row.queue or "as its type says",
        "Priority": str(row.priority), "Tags": ", ".join(row.tags) or None, "Unique key": row.unique_key,
        "Project": row.project,
    }  # fmt: skip


def _origin(row: Schedule) -> dict[str, Any]:
    return {
        "Made": f"{say.at(row.created_at)} by {row.created_by.removeprefix('operator:')}",
        "Changed": f"{say.at(row.updated_at)} by {row.updated_by.removeprefix('operator:')} (version {row.version})",
        "Declared in code": None if row.declared is None else "yes",
        "Now": f"{words.on_the_minute(now(), words.zone(row))} in {row.zone}",
    }


def changes(row: Schedule) -> None:
    """Who did what to it, and why."""
    with who.acting():
        found = history.events(entity="schedule", entity_id=row.id)
    if not found:
        parts.empty("history", "Nobody has touched it.")
    for event in found:
        st.text(event_words.sentence(event))


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else say.at(moment)
