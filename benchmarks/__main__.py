"""Callboard and its peers, measured alternately in one run on this machine.

`python -m benchmarks --peers all` measures everything, some 75 minutes on two cores; `--minutes 25` takes fewer jobs
and rounds, `--quick` tries whether all works. What is found is saved after every measure, in benchmarks/results/: an
interrupted run loses nothing, and `--only latency,fan` measures those sections anew.
"""

import argparse
import time

from benchmarks import backlog, environment, servers, stores
from benchmarks.bench import Bench
from benchmarks.contenders import chosen
from benchmarks.facts import facts
from benchmarks.plan import SECTIONS, contenders
from benchmarks.report import RESULTS, Report

ALL = {**SECTIONS, "backlog": backlog.SECTION}
FULL_MINUTES = 75
QUICK = 0.02  # of the sizes


def main() -> None:
    """Measure, print, save."""
    given = _options()
    keys = chosen(given.peers)
    names = [name.strip() for name in given.only.split(",")] if given.only else list(ALL)
    if unknown := [name for name in names if name not in ALL]:
        raise SystemExit(f"There is no measure {unknown[0]!r}; there are {', '.join(ALL)}.")
    report = Report(environment.ROOT / "var/bench/quick.json" if given.quick else RESULTS / "bench.json", ALL)
    found = facts(keys)
    with servers.valkey() as redis_url, servers.postgresql() as database_url:
        stored = stores.valkey(redis_url), stores.postgresql(database_url)
        bench = Bench(report, *stored, _scale(given), 1 if given.quick else given.rounds)
        ends_at = time.monotonic() + 60 * given.minutes if given.minutes else None
        for at, name in enumerate(names):
            share_s = ends_at and (ends_at - time.monotonic()) / (len(names) - at)  # what others left is used
            report.begin(name, found)
            if name == "backlog":
                backlog.run(bench, keys, share_s)
            else:
                who = contenders(SECTIONS[name], keys, named=given.peers not in ("all", "none"))
                bench.section(name, SECTIONS[name], who, share_s)
            report.end(name)
            print(f"\n{report.table(name)}\n", flush=True)


def _scale(given: argparse.Namespace) -> float:
    if given.quick:
        return QUICK
    return min(1.0, 1.5 * given.minutes / FULL_MINUTES) if given.minutes else 1.0


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--peers", default="dramatiq", help="names with commas, all, or none; default: dramatiq")
    options.add_argument("--only", default="", help=f"some of {', '.join(ALL)}; default: all")
    options.add_argument("--rounds", type=int, default=0, help="default: each section's own, 1 to 7")
    options.add_argument("--minutes", type=float, default=0, help="be done in about so many; at least one round of all")
    options.add_argument("--quick", action="store_true", help="small sizes, one round: the figures mean nothing")
    return options.parse_args()


if __name__ == "__main__":
    main()
