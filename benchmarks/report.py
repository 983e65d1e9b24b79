"""A run's figures: kept in JSON after every single measure, and told as Markdown tables."""

import json
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.contenders import CONTENDERS, KEEPING, SILENT
from benchmarks.measures import quantile_ms
from benchmarks.plan import Column, Section

RESULTS = Path(__file__).parent / "results"
BASE = "dramatiq"


class Report:
    """The file of a run. What is not measured again is kept from the run before."""

    def __init__(self, path: Path, sections: dict[str, Section]) -> None:
        self.path = path
        self._sections = sections
        self.content: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"sections": {}}

    def begin(self, name: str, facts: dict[str, Any]) -> None:
        """Measure a section anew."""
        found = {"title": self._sections[name].title, "began_at": _now(), "machine": facts, "sizes": {}, "figures": {}}
        self.content["sections"][name] = found

    def add(self, name: str, contender: str, figures: dict[str, Any] | None, sizes: dict[str, Any]) -> None:
        """One measure more, and save all."""
        section = self.content["sections"][name]
        section["sizes"][contender] = sizes
        section["figures"].setdefault(contender, []).append(figures)
        section["ended_at"] = _now()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_suffix(".tmp.json")
        unfinished.write_text(json.dumps(self.content, indent=1) + "\n")
        unfinished.replace(self.path)

    def end(self, name: str) -> None:
        """Write all tables beside the file, those of earlier runs as well."""
        tables = [self.table(each) for each in self._sections if each in self.content["sections"]]
        self.path.with_suffix(".md").write_text("\n\n".join(tables) + "\n")

    def table(self, name: str) -> str:
        """A section as Markdown."""
        section = self._sections[name]
        figures = self.content["sections"][name]["figures"]
        ratio = [f"× {CONTENDERS[BASE].name}"] if section.ratio and figures.get(BASE) else []
        headings = [section.title, *ratio, *(column.heading for column in section.columns)]
        lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
        base = _median(figures.get(BASE, []), section.ratio) if ratio else None
        for key, rounds in figures.items():
            if any(rounds):
                lines.append(f"| {' | '.join(_row(key, rounds, section, base, bool(ratio)))} |")
        return "\n".join(lines)


def _row(key: str, rounds: list[dict[str, Any] | None], section: Section, base: float | None, ratio: bool) -> list[str]:
    known = (CONTENDERS | KEEPING | SILENT).get(key)
    name = known.name if known else key
    good = _pooled([figures for figures in rounds if figures and "failed" not in figures])
    if not good:
        return [name, *(["failed"] * (len(section.columns) + ratio))]
    mine = _median(good, section.ratio)
    compared = [f"{mine / base:.2f}" if mine and base else "–"] if ratio else []
    return [name, *compared, *(_told(good, column) for column in section.columns)]


def _pooled(rounds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Delays of all rounds taken together: a p99 needs many."""
    if not rounds or "delays_ms" not in rounds[0]:
        return rounds
    delays = [delay / 1000 for figures in rounds for delay in figures["delays_ms"]]
    return [{f"p{percent}_ms": quantile_ms(delays, percent / 100) for percent in (50, 95, 99)}]


def _told(rounds: list[dict[str, Any]], column: Column) -> str:
    values = [figures[column.figure] for figures in rounds if figures.get(column.figure) is not None]
    if not values:
        return "–"
    told = f"{statistics.median(values):,.{column.digits}f}"
    if len(values) == 1 or min(values) == max(values):
        return told
    return f"{told} ({min(values):,.{column.digits}f}–{max(values):,.{column.digits}f})"


def _median(rounds: Sequence[dict[str, Any] | None], figure: str) -> float | None:
    good = _pooled([figures for figures in rounds if figures and "failed" not in figures])
    values = [figures[figure] for figures in good if figures.get(figure) is not None]
    return statistics.median(values) if values else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
