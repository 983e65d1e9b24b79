"""The Procfile's `release` line: brings the database to the schema of this code, before the other lines start.

honcho starts all lines at once and stops all when one ends: under it this one stays, with nothing left to do.
"""

import os
import signal
import sys

from models import migrate
from services import log


def main() -> int:
    """Migrate; the exit code."""
    log.configure()
    print(f"The database is at revision {migrate.upgrade()}.", flush=True)
    if "HONCHO_PROCESS_NAME" in os.environ:
        print("Nothing is left to do here; this line stays, because honcho stops all when one ends.", flush=True)
        stop = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, stop)
        signal.sigwait(stop)
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
