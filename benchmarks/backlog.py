"""Whether it stays fast: Callboard's no-op throughput with 10⁴, 10⁵, 10⁶ tasks waiting, and with 10⁶ that have ended.

Ledgers of all kinds lie side by side; every round runs a slice of each, and fills up again what it takes.
"""

import tempfile
import time
from pathlib import Path

from benchmarks import stores
from benchmarks.bench import Bench, say
from benchmarks.contenders import CONTENDERS
from benchmarks.plan import Column, Section
from benchmarks.stores import Server

LEAST = "10⁴ waiting"
KINDS = {LEAST: (10_000, 0), "10⁵ waiting": (100_000, 0), "10⁶ waiting": (1_000_000, 0),
         "10⁴ waiting, 10⁶ ended": (10_000, 1_000_000)}  # fmt: skip
SLICE = 10_000
SECTION = Section(
    "No-op jobs out of a longer line, or beside a longer history", "slice", lambda *_: {"many": SLICE},
    (Column("per_s", "jobs a second"), Column("of_least", f"× {LEAST}, same round", 2)), 7,
)  # fmt: skip
TRIAL = 0.1  # a smaller scale is a trial; else a row is what its name says


def run(bench: Bench, keys: list[str], share_s: float | None) -> None:
    """All kinds on both databases, alternately."""
    ours = [key for key in keys if CONTENDERS[key].ours]
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        began, scale = time.monotonic(), bench.scale if bench.scale < TRIAL else 1.0
        places = {
            (key, kind): _place(key, number, Path(folder), bench.postgresql)
            for key in ours
            for number, kind in enumerate(KINDS)
        }
        for (key, kind), place in places.items():
            waiting, ended = (int(many * scale) for many in KINDS[kind])
            found = bench.measure(CONTENDERS[key], "fill", {"waiting": waiting, "ended": ended}, place)
            say(f"backlog, filling, {key}, {kind}", found)
        for round_ in range(bench.rounds_of(SECTION)):
            if share_s and round_ and time.monotonic() - began > share_s:
                break
            _round(bench, places)


def _round(bench: Bench, places: dict[tuple[str, str], str]) -> None:
    least: dict[str, float] = {}
    for (key, kind), place in places.items():
        sizes = {"many": SLICE if bench.scale >= TRIAL else 500}
        figures = bench.measure(CONTENDERS[key], SECTION.measure, sizes, place) or {}
        if "per_s" in figures:
            least.setdefault(key, figures["per_s"])
            figures["of_least"] = round(figures["per_s"] / least[key], 3)
        row = f"{CONTENDERS[key].name}, {kind}"
        bench.report.add("backlog", row, figures, sizes)
        say(f"backlog, {row}", figures)


def _place(key: str, number: int, folder: Path, postgresql: Server) -> str:
    if CONTENDERS[key].keeps_in == "postgresql":
        return stores.new_database(postgresql, f"bench_{number}")
    (folder / str(number)).mkdir()
    return str(folder / str(number) / "callboard.sqlite3")
