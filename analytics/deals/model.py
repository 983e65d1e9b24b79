"""What reading gives back: the deals, and an account of every row that was not taken as it stood."""

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Severity = Literal["info", "warning", "error"]
Action = Literal["repaired", "rejected", "reported"]

MAX_EXAMPLES = 5
MAX_EXAMPLE_CHARS = 120


@dataclass(frozen=True)
class Issue:
    """One thing found in the data: how often, what was done about it, and up to five examples."""

    check: str
    severity: Severity
    count: int
    action: Action
    sentence: str
    examples: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        short = [shorten(example) for example in self.examples[:MAX_EXAMPLES]]
        object.__setattr__(self, "examples", short)


@dataclass(frozen=True)
class Rejected:
    """A row that is not analysed. `line` counts from 1: lines of a text file, header included; rows of others."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Deals:
    """Deals in the canonical frame; `rows_read == len(frame) + len(rejected)`, always.

    `frame` has the columns deal, client, owner, segment, product, stage, region (str), outcome ("won", "lost",
    "open"), amount (float, in the source's currency), opened_on and closed_on (datetime64); missing values are NA.
    `columns_used` says which column of the source each came from; what is not in it was not there.
    """

    frame: pd.DataFrame
    columns_used: dict[str, str]
    issues: list[Issue]
    rejected: pd.DataFrame
    rows_read: int
    warnings: list[str]


def several(count: int, noun: str) -> str:
    """`1 deal`, `1,200 deals`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def shorten(text: str, limit: int = MAX_EXAMPLE_CHARS) -> str:
    """At most `limit` characters of `text` on one line."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
