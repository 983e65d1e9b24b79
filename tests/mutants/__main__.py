"""`make mutants`: the state machine over each mutant of the core. Exit code 0 when it noticed every one."""

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.catalogue import MUTANTS, ROOT, Mutant

EXAMPLES = 300
IN_MEMORY = Path("/dev/shm")  # a disk would be waited for most of the time
NOTICED, SURVIVED = 1, 0  # pytest's exit codes


def main() -> int:
    """Run them, a few at a time, and say how each fared."""
    options = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    options.add_argument("names", nargs="*", help="mutants; none: all of them")
    options.add_argument("--db", choices=["sqlite", "postgresql", "both"], default="sqlite")
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()
    chosen = [mutant for mutant in MUTANTS if not given.names or mutant.name in given.names]
    if not chosen or len(chosen) < len(given.names):
        options.error(f"known are {', '.join(mutant.name for mutant in MUTANTS)}")
    databases = ["sqlite", "postgresql"] if given.db == "both" else [given.db]
    tries = [(mutant, database) for database in databases for mutant in chosen if mutant.only in (None, database)]
    if not tries:
        options.error("none of these is of that database; see --db")
    with ThreadPoolExecutor(given.jobs) as pool:
        noticed = list(pool.map(lambda one: _try(*one), tries))
    print(f"{sum(noticed)} of {len(tries)} mutants were noticed, on {' and '.join(databases)}.")
    return 0 if all(noticed) else 1


def _try(mutant: Mutant, database: str) -> bool:
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.mutants.run", mutant.name, "-k", database]
    environment = {**os.environ, "MACHINE_EXAMPLES": str(EXAMPLES)}
    if os.access(IN_MEMORY, os.W_OK):
        environment["PYTEST_DEBUG_TEMPROOT"] = str(IN_MEMORY)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    how = {NOTICED: "noticed", SURVIVED: "SURVIVED"}.get(done.returncode, "COULD NOT BE TRIED")
    took = f"{time.monotonic() - began:.0f} s"
    print(f"{how:<8} {mutant.name:<26} {database:<10} {took:>6}  without it: {mutant.lacks}", flush=True)
    if done.returncode == NOTICED:
        print(f"         {_reason(said)}", flush=True)
    elif done.returncode != SURVIVED:
        print(said[-3000:], file=sys.stderr)
    return done.returncode == NOTICED


def _reason(said: str) -> str:
    """What the test said was wrong."""
    errors = [line[1:].strip() for line in said.splitlines() if line.startswith("E  ")]
    return (errors or ["(it said nothing)"])[0][:150]


if __name__ == "__main__":
    sys.exit(main())
