"""`make soak`: random work under a fault every one to three seconds, on both databases, with and without the bell.

Ends each time with the doctor. Exit code 0 when all were clean. The same seed draws the same faults.
"""

import argparse
import random
import sys

from services import log
from tests.soak.plan import plan
from tests.soak.storm import soak


def main() -> int:
    """Run what was asked for."""
    options = argparse.ArgumentParser(prog="make soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=3.0, help="of each run, without the quiet after it")
    options.add_argument("--seed", type=int, help="of the faults and the work; none: another each time")
    options.add_argument("--db", choices=["sqlite", "postgresql", "both"], default="both")
    options.add_argument("--bell", choices=["on", "off", "both"], default="both")
    options.add_argument("--plan", action="store_true", help="only show which fault strikes when")
    given = options.parse_args()
    seed = random.randrange(10**6) if given.seed is None else given.seed
    databases = ["sqlite", "postgresql"] if given.db == "both" else [given.db]
    bells = {"on": [True], "off": [False], "both": [True, False]}[given.bell]
    if given.plan:
        for database, bell in ((d, b) for d in databases for b in bells):
            print(database, "with the bell" if bell else "without the bell")
            print(*plan(seed, 60 * given.minutes, database, bell), sep="\n")
        return 0
    log.configure("soak")
    clean = [soak(seed, 60 * given.minutes, database, bell) for database in databases for bell in bells]
    print(f"{sum(clean)} of {len(clean)} runs were clean; SEED={seed} strikes with the same faults again.")
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
