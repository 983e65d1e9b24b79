"""Samples of every process, and the slope of each figure: the median of the slopes between all pairs of samples."""

import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

import psutil

MB = 1024 * 1024
MOST_SAMPLES = 300  # of one figure that a slope is made of: pairs grow with the square


@dataclass(frozen=True)
class Figure:
    """What is sampled; growth beyond both allowances is a leak."""

    name: str
    per_hour: float  # what it may grow by
    noise: float  # what it may have grown by when the run ends, however short that was

    def allowed(self, hours: float) -> float:
        """What it may grow by an hour in a run of so many hours."""
        return max(self.per_hour, self.noise / hours)


FIGURES = {
    each.name: each
    for each in (
        Figure("RSS MB", 4.0, 6.0), Figure("files", 2, 2), Figure("threads", 1, 1), Figure("connections", 1, 1)
    )
}  # fmt: skip


@dataclass
class Watched:
    """One process of a known part, from the time it was first seen."""

    part: str
    process: psutil.Process
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def sample(self, at: float) -> None:
        """Take every figure once; of a process that has ended, none."""
        with suppress(psutil.Error), self.process.oneshot():
            values = {
                "RSS MB": self.process.memory_info().rss / MB,
                "files": self.process.num_fds(),
                "threads": self.process.num_threads(),
                "connections": len(self.process.net_connections(kind="all")),
            }
            for name, value in values.items():
                self.samples[name].append((at, value))

    def slope(self, name: str) -> float:
        """How much the figure grows an hour (Theil and Sen's estimate: what comes and goes does not count)."""
        points = self.samples[name][:: max(1, len(self.samples[name]) // MOST_SAMPLES)]
        return 3600 * median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2) if b[0] > a[0])

    def ends(self, name: str) -> tuple[float, float]:
        """The middle of the first and of the last fifth."""
        values = [value for _, value in self.samples[name]]
        fifth = max(1, len(values) // 5)
        return median(values[:fifth]), median(values[-fifth:])


class Watch:
    """All processes that live long enough, found anew at each sample."""

    def __init__(self, parts: dict[str, list[psutil.Process]]) -> None:
        self._roots = parts
        self._known: dict[int, Watched] = {}
        self.began = time.monotonic()

    def sample(self) -> None:
        """Look at every process once."""
        at = time.monotonic()
        for part, roots in self._roots.items():
            for root in roots:
                with suppress(psutil.Error):
                    for process in [root, *root.children(recursive=True)]:
                        known = self._known.setdefault(process.pid, Watched(f"{part}{_role(process, root)}", process))
                        known.sample(at)

    def lasting(self) -> list[Watched]:
        """Those that were there nearly all the time; isolated children come and go."""
        most = max((len(each.samples["threads"]) for each in self._known.values()), default=0)
        return [each for each in self._known.values() if len(each.samples["threads"]) >= max(3, 0.9 * most)]

    def memory(self) -> str:
        """What each of them occupies now, in MB."""
        return ", ".join(f"{each.part} {each.samples['RSS MB'][-1][1]:.0f}" for each in self.lasting())

    def forget(self) -> None:
        """What was seen until now was the warming up."""
        self._known, self.began = {}, time.monotonic()

    @property
    def hours(self) -> float:
        """How long it has been."""
        return (time.monotonic() - self.began) / 3600


def _role(process: psutil.Process, root: psutil.Process) -> str:
    if process.pid == root.pid:
        return ""
    command = " ".join(process.cmdline())
    if "runtime.worker_process" in command:
        return ": worker"
    return ": fork server" if "forkserver" in command else f": {process.name()}"
