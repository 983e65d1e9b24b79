"""`python -m runtime.restore FILE`: puts a copy made by `runtime.backup` in the place of the SQLite ledger.

Nothing is changed while anything has the ledger open. PostgreSQL has `pg_restore` for this (see docs/operations.md).
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from models import connect, db

PATIENCE_S = 1.0  # with whoever has the ledger open
IN_USE = "SQLITE_BUSY"


class NotRestored(Exception):
    """Why the ledger is as it was, in a sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Restore; the exit code."""
    options = argparse.ArgumentParser(prog="python -m runtime.restore", description=__doc__)
    options.add_argument("file", type=Path, help="the copy; it stays as it is")
    copy: Path = options.parse_args(arguments).file
    try:
        ledger = restore(copy)
    except (NotRestored, connect.UnsafeSqlite) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"{ledger} is again as it was when {copy} was made.")
    return 0


def restore(copy: Path) -> Path:
    """Put the copy in the ledger's place, which is returned. Raises `NotRestored`, and nothing has changed then.

    Ids that were given out since the copy was made are not given out again.
    """
    if db.is_postgresql():
        raise NotRestored("The ledger is in PostgreSQL: `pg_restore` brings it back (see docs/operations.md).")
    target = Path(db.engine().url.database or "")
    module = connect.sqlite_module()
    _look_at(copy, module)
    try:
        target.touch(mode=0o600)
        with closing(module.connect(target, isolation_level=None, timeout=PATIENCE_S)) as ledger:
            _keep_others_out(ledger)
            given_out = _given_out(ledger)
            with closing(_opened(copy, module)) as source:
                source.backup(ledger)  # one transaction: where it is cut, the ledger is as it was
            _give_out_after(ledger, given_out)
    except (OSError, module.Error) as error:
        if getattr(error, "sqlite_errorname", "") == IN_USE:
            raise NotRestored(
                f"Something has {target} open: stop everything first, on the console's machine and the workers'."
            ) from None
        raise NotRestored(f"{target} could not be written: {error}. Move it away, and restore again.") from None
    return target


def _opened(copy: Path, module: Any) -> Any:
    return module.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)


def _look_at(copy: Path, module: Any) -> None:
    if not copy.is_file():
        raise NotRestored(f"There is no copy at {copy}.")
    try:
        with closing(_opened(copy, module)) as source:
            (verdict,) = source.execute("PRAGMA quick_check").fetchone()
            source.execute("SELECT version_num FROM alembic_version").fetchone()
            source.execute("SELECT max(id) FROM tasks").fetchone()
    except module.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise NotRestored(f"{copy} is no sound copy of a ledger: {verdict}.")


def _keep_others_out(ledger: Any) -> None:
    """Until the connection closes. Whoever has the file open holds a lock that is in the way of this one."""
    ledger.execute("PRAGMA locking_mode = EXCLUSIVE")
    ledger.execute("BEGIN EXCLUSIVE")
    ledger.execute("COMMIT")


def _given_out(ledger: Any) -> Mapping[str, int]:
    if not ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        return {}
    return dict(ledger.execute("SELECT name, seq FROM sqlite_sequence").fetchall())


def _give_out_after(ledger: Any, given_out: Mapping[str, int]) -> None:
    ledger.execute("BEGIN IMMEDIATE")
    for table, last in given_out.items():
        known = ledger.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table)).rowcount
        if not known:
            ledger.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
    ledger.execute("COMMIT")


if __name__ == "__main__":
    sys.exit(main())
