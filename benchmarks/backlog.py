"""Whether it stays fast: Callboard's no-op throughput with 10⁴, 10⁵, 10⁶ tasks waiting, and with 10⁶ that have ended.

Ledgers of all kinds lie side by side; every round runs a slice of each, and fills up again what it takes.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import servers
from benchmarks.contenders import CONTENDERS, surroundings
from benchmarks.launch import one
from benchmarks.plan import Column, Section
from benchmarks.report import Report
from benchmarks.servers import Server

LEAST = "10⁴ waiting"
KINDS = {LEAST: (10_000, 0), "10⁵ waiting": (100_000, 0), "10⁶ waiting": (1_000_000, 0),
         "10⁴ waiting, 10⁶ ended": (10_000, 1_000_000)}  # fmt: skip
SLICE = 10_000
SECTION = Section(
    "No-op jobs of a longer line, or beside a longer history", "slice", lambda *_: {"many": SLICE},
    (Column("per_s", "jobs a second"), Column("of_least", f"× {LEAST}, same round", 2)), 7,
)  # fmt: skip


def run(
    report: Report, facts: dict[str, Any], keys: list[str], valkey: Server, postgresql: Server, *,
    scale: float, rounds: int, share_s: float | None,
) -> None:  # fmt: skip
    """All kinds on both databases, alternately."""
    ours = [key for key in keys if CONTENDERS[key].ours]
    report.begin("backlog", SECTION, facts)
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        began = time.monotonic()
        places = {(key, kind): _place(key, n, Path(folder), postgresql) for key in ours for n, kind in enumerate(KINDS)}
        for (key, kind), place in places.items():
            waiting, ended = (int(many * scale) for many in KINDS[kind])
            done = _measure(key, place, valkey, postgresql, "fill", {"waiting": waiting, "ended": ended})
            print(f"backlog {key} {kind}: {done} [{time.monotonic() - began:.0f} s]", file=sys.stderr, flush=True)
        for round_ in range(rounds):
            if share_s and round_ and time.monotonic() - began > share_s:
                break
            _round(report, places, valkey, postgresql, max(500, int(SLICE * min(1.0, scale * 4))))


def _round(report: Report, places: dict[tuple[str, str], str], valkey: Server, postgresql: Server, many: int) -> None:
    least: dict[str, float] = {}
    for (key, kind), place in places.items():
        figures = _measure(key, place, valkey, postgresql, "slice", {"many": many})
        if "per_s" in figures:
            least.setdefault(key, figures["per_s"])
            figures["of_least"] = round(figures["per_s"] / least[key], 3)
        report.add("backlog", f"{CONTENDERS[key].name}: {kind}", figures, {"many": many})
        print(f"backlog {key} {kind}: {figures}", file=sys.stderr, flush=True)


def _place(key: str, number: int, folder: Path, postgresql: Server) -> str:
    if CONTENDERS[key].keeps_in == "postgresql":
        return servers.new_database(postgresql, f"bench_{number}")
    (folder / str(number)).mkdir()
    return str(folder / str(number) / "callboard.sqlite3")


def _measure(
    key: str, place: str, valkey: Server, postgresql: Server, measure: str, sizes: dict[str, Any]
) -> dict[str, Any]:
    contender = CONTENDERS[key]
    with surroundings(contender, valkey, postgresql, place) as environ:
        return one(contender, measure, sizes, environ) or {}
