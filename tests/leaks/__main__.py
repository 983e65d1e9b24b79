"""`make leaks`: an hour of mixed work on each database. Exit code 0 where nothing of any process grew."""

import argparse
import sys

from services import log
from tests.leaks.run import leaks


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(prog="make leaks", description=__doc__)
    options.add_argument("--minutes", type=float, default=60.0, help="of measuring, after two to ten of warming up")
    options.add_argument("--db", choices=["sqlite", "postgresql", "both"], default="both")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    log.configure("leaks")
    databases = ["sqlite", "postgresql"] if given.db == "both" else [given.db]
    flat = [leaks(database, given.minutes, given.seed) for database in databases]
    print(f"{sum(flat)} of {len(flat)} runs were flat.")
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
