"""The Procfile's `release` line: brings the database to the schema of this code, before the other lines start.

honcho starts all lines at once and stops all when one ends: under it this one stays, with nothing left to do.
"""

import os
import signal
import sys

from sqlalchemy.exc import OperationalError

from models import migrate
from services import log


def main() -> int:
    """Migrate; the exit code."""
    log.configure()
    try:
        revision = migrate.upgrade()
    except OperationalError as error:
        print(f"The database cannot be migrated: {migrate.first_line(error)}. Check DATABASE_URL.", file=sys.stderr)
        return os.EX_TEMPFAIL
    print(f"The database is at revision {revision}.", flush=True)
    if "HONCHO_PROCESS_NAME" in os.environ:
        print("Nothing is left to do here; this line stays, because honcho stops all when one ends.", flush=True)
        stop = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, stop)
        signal.sigwait(stop)
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
