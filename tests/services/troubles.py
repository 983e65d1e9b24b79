"""Databases that cannot be written to: a disk that is full, a server or a file system that may only be read.

The disk is a real one in memory where this user may mount one; elsewhere the database is told to behave alike.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url, text

from models import db
from settings import settings
from tests.conftest import forget

DISK_BYTES = 4 * 2**20


class Trouble:
    """`begin` it, and `end` it."""

    disk: Path | None = None  # where it is a real one

    def begin(self) -> None:
        """From now on nothing can be written."""

    def end(self) -> None:
        """Now it can again."""


class FullDisk(Trouble):
    """A file that takes all the room there is."""

    def __init__(self, disk: Path) -> None:
        self.disk, self._balloon = disk, disk / "balloon"

    def begin(self) -> None:
        """Take it."""
        if not db.is_postgresql():  # its log may have room left by what was written before
            with db.engine().connect().execution_options(readonly=True) as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with suppress(OSError), self._balloon.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def end(self) -> None:
        """Give it back."""
        self._balloon.unlink()


class Switched(Trouble):
    """What each connection is told at its next use, as both databases can be."""

    def __init__(self, begin: str, end: str) -> None:
        self._say = {True: begin, False: end}
        self._on = False
        event.listen(db.engine(), "checkout", self._tell)

    def _tell(self, connection: Any, *_: Any) -> None:
        connection.execute(self._say[self._on])

    def begin(self) -> None:
        """Say the one."""
        self._on = True

    def end(self) -> None:
        """Say the other."""
        self._on = False


class Remounted(Trouble):
    """A disk that may only be read."""

    def __init__(self, disk: Path) -> None:
        self.disk = disk

    def begin(self) -> None:
        """Nobody may have a file open for writing."""
        self._mount("ro")

    def end(self) -> None:
        """As it was."""
        self._mount("rw")

    def _mount(self, how: str) -> None:
        db.forget_engine()
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.disk)], check=True)


@contextmanager
def full(kind: str, disk_bytes: int = DISK_BYTES) -> Iterator[Trouble]:
    """The ledger on a disk of its own, small enough to be filled."""
    folder = settings().var_dir if kind == "sqlite" else Path(tempfile.mkdtemp(prefix="callboard-full-", dir="/tmp"))
    on_disk = _sqlite_on_disk if kind == "sqlite" else _attempts_on_disk
    with on_disk(folder, disk_bytes) as mounted:
        if mounted:
            yield FullDisk(folder)
        elif kind == "sqlite":
            yield Switched("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000")
        else:
            yield _Refusing()


@contextmanager
def read_only(kind: str) -> Iterator[Trouble]:
    """The ledger on a disk, or a server, that may be made read-only."""
    if kind == "postgresql":
        yield Standby()
        return
    with _sqlite_on_disk(settings().var_dir) as mounted:
        yield Remounted(settings().var_dir) if mounted else Switched("PRAGMA query_only = 1", "PRAGMA query_only = 0")


class Standby(Trouble):
    """New sessions may only read, as after a failover until the address points to the new primary."""

    def begin(self) -> None:
        """For all sessions that begin now."""
        self._say("SET default_transaction_read_only = on")

    def end(self) -> None:
        """As it was."""
        self._say("RESET default_transaction_read_only")

    def _say(self, words: str) -> None:
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text(f"ALTER DATABASE {make_url(settings().database).database} {words}"))
        db.engine().dispose()


class _Refusing(Trouble):
    """Where no disk may be mounted: a trigger that says what PostgreSQL says."""

    def begin(self) -> None:
        with db.engine().begin() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON tasks EXECUTE FUNCTION no_room()"
            )

    def end(self) -> None:
        with db.engine().begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION no_room CASCADE")


@contextmanager
def mounted_at(folder: Path, disk_bytes: int) -> Iterator[bool]:
    """An empty disk in memory at this folder; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={disk_bytes},mode=700", "tmpfs", str(folder)]
    done = shutil.which("mount") and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield bool(done)
    finally:
        if done:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _sqlite_on_disk(folder: Path, disk_bytes: int = DISK_BYTES) -> Iterator[bool]:
    forget()
    ledger = (folder / "callboard.sqlite3").read_bytes()
    with mounted_at(folder, disk_bytes) as mounted:
        if mounted:
            (folder / "callboard.sqlite3").write_bytes(ledger)
        try:
            yield mounted
        finally:
            forget()


@contextmanager
def _attempts_on_disk(folder: Path, disk_bytes: int) -> Iterator[bool]:
    """What every enqueue and every ending adds to, on the disk."""
    tables = ("task_bodies", "attempts")
    with mounted_at(folder, disk_bytes) as mounted:
        if not mounted:
            yield False
            return
        inside = folder / "space"
        inside.mkdir(mode=0o700)
        if os.geteuid() == 0:
            folder.chmod(0o711)
            os.chown(inside, pwd.getpwnam("pgserver").pw_uid, -1)
        with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE TABLESPACE small LOCATION '{inside}'"))
            for table in tables:
                connection.execute(text(f"ALTER TABLE {table} SET TABLESPACE small"))
            try:
                yield True
            finally:
                for table in tables:
                    connection.execute(text(f"ALTER TABLE {table} SET TABLESPACE pg_default"))
                connection.execute(text("DROP TABLESPACE small"))
    folder.rmdir()
