"""`python -m runtime.backup FILE`: a copy of the SQLite ledger as it is at one moment, while work goes on.

The file is new, and private. PostgreSQL has `pg_dump` for this (see docs/operations.md).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from models import connect, db


class NotCopied(Exception):
    """Why there is no copy, in a sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Copy; the exit code."""
    options = argparse.ArgumentParser(prog="python -m runtime.backup", description=__doc__)
    options.add_argument("file", type=Path, help="the copy; must not exist yet")
    target: Path = options.parse_args(arguments).file
    try:
        size = copy(target)
    except (NotCopied, connect.UnsafeSqlite) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{target}: {size:,} bytes, looked through and sound.")
    return 0


def copy(target: Path) -> int:
    """Copy the ledger to a file; returns its size in bytes. Raises `NotCopied`, and leaves nothing then."""
    if db.is_postgresql():
        raise NotCopied("The ledger is in PostgreSQL: `pg_dump` copies it (see docs/operations.md).")
    source = Path(db.engine().url.database or "")
    if not source.is_file():
        raise NotCopied(f"There is no ledger at {source}; see VAR_DIR and DATABASE_URL.")
    module = connect.sqlite_module()
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise NotCopied(f"{target} cannot be made: {error.strerror}.") from None
    try:
        with closing(module.connect(source)) as ledger, closing(module.connect(target)) as made:
            ledger.backup(made)  # in one step: readers do not hold up writers
            (verdict,) = made.execute("PRAGMA quick_check").fetchone()
    except module.Error as error:
        verdict = str(error)
    if verdict != "ok":
        target.unlink(missing_ok=True)
        raise NotCopied(f"The ledger could not be copied, or the copy is not sound: {verdict}.")
    return target.stat().st_size


if __name__ == "__main__":
    sys.exit(main())
