"""What became of a slot, as colour, sign and word: the same in strips, lists and legends.

The signs tell the colours apart for whoever sees no colours; what is to come, was skipped or missed has another surface
besides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from console.ui import look, say
from models import FireOutcome, Status
from services.schedules import Latest, Slot


@dataclass(frozen=True)
class Fate:
    """One of the things that become of a slot."""

    label: str
    colour: str  # as Streamlit names it
    sign: str
    surface: str = ""  # a class of console.css
    help: str = ""


COMPLETED = Fate("Completed", "green", "✓", help="It ran, and completed")
FAILED = Fate("Failed", "red", "✕", help="It ran, and failed")
CANCELLED = Fate("Cancelled", "orange", "⊘", help="It ran, and was cancelled")
UNDER_WAY = Fate("Under way", "blue", "▸", help="Its task waits or runs")
SKIPPED = Fate("Skipped", "gray", "–", "cb-hollow", "On purpose: an earlier run, a pause, a window")
MISSED = Fate("Missed", "orange", "!", "cb-hatched", "Nobody fired it: no scheduler was running")
DEDUPLICATED = Fate("Deduplicated", "violet", "=", help="A live task with its unique key was there already")
NOT_ENQUEUED = Fate("Not enqueued", "red", "✕", "cb-hatched", "It could not become a task")
TO_COME = Fate("To come", "gray", "", "cb-dashed", "It will fire")

_RAN = {Status.completed: COMPLETED, Status.failed: FAILED, Status.cancelled: CANCELLED}
_OTHERS = {
    FireOutcome.skipped: SKIPPED, FireOutcome.missed: MISSED, FireOutcome.deduplicated: DEDUPLICATED,
    FireOutcome.failed: NOT_ENQUEUED,
}  # fmt: skip
ALL = (COMPLETED, FAILED, CANCELLED, UNDER_WAY, SKIPPED, MISSED, DEDUPLICATED, NOT_ENQUEUED, TO_COME)


def fate(outcome: FireOutcome, status: Status | None) -> Fate:
    """Of a fire, and the status of its task."""
    if outcome is FireOutcome.ran:
        return _RAN.get(status, UNDER_WAY) if status is not None else UNDER_WAY
    return _OTHERS[outcome]


def badge(one: Fate) -> str:
    """Sign and word, for a place that reads HTML."""
    return f'<span class="cb-fate">{cell(one, hidden=True)}<span>{one.label}</span></span>'


def cell(one: Fate, title: str = "", href: str = "", hidden: bool = False) -> str:
    """One box of a strip; with `href`, which is ours, it leads to a task."""
    colour = look.HEX[one.colour]
    tag = f'a class="cb-fire {one.surface} callboard-task" href="{href}" target="_self"' if href else (
        f'i class="cb-fire {one.surface}"'
    )  # fmt: skip
    said = f' title="{say.markup(title)}"' if title else ""
    heard = f' aria-label="{say.markup(title)}"' if href else ' aria-hidden="true"' if hidden else ""
    return f'<{tag} style="--fate:{colour}"{said}{heard}>{one.sign}</{tag.split()[0]}>'


def strip(past: Sequence[Latest], coming: Sequence[Slot], most: int = 0, linked: bool = False) -> str:
    """Boxes of past and coming fires in the order of time, with what it says for those who hear it.

    With `most`, it always has room for so many past ones, so that strips below one another stand in line.
    """
    zone = say.zone()
    cells = [cell(TO_COME, hidden=True).replace("cb-dashed", "cb-none")] * max(0, most - len(past))
    for one in past:
        which = fate(one.outcome, one.status)
        title = f"{which.label} · {say.at(one.at, zone)}" + (f" · {one.why}" if one.why else "")
        cells.append(cell(which, title, f"/task?id={one.task_id}" if linked and one.task_id else ""))
    cells += [cell(TO_COME, f"To come · {say.at(slot.at, zone)}") for slot in coming]
    heard = say.markup(in_words(past, len(coming)))
    role = 'role="group"' if linked else 'role="img"'
    return f'<div class="cb-strip" {role} aria-label="{heard}">{"".join(cells)}</div>'


def in_words(past: Iterable[Latest], coming: int) -> str:
    """`The last 10 fires: 9 completed, 1 failed; 2 to come`."""
    seen: dict[str, int] = {}
    for one in past:
        label = fate(one.outcome, one.status).label.lower()
        seen[label] = seen.get(label, 0) + 1
    told = ", ".join(f"{n} {label}" for label, n in sorted(seen.items(), key=lambda item: -item[1]))
    head = f"The last {sum(seen.values())} fires: {told}" if seen else "It has not fired yet"
    return head + (f"; {coming} to come" if coming else "")


def legend() -> None:
    """What the boxes mean."""
    named = "".join(
        f'<span class="cb-fate" title="{say.markup(one.help)}">{cell(one, hidden=True)}{one.label}</span>'
        for one in ALL
    )
    st.html(f'<div class="cb-legend">{named}</div>')
