"""The ledgers that the console is measured over: made once, and kept in a folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks import servers


@dataclass(frozen=True)
class Ledger:
    """Where one is: in its folder, or in a database of a PostgreSQL."""

    folder: Path
    url: str | None = None

    def environment(self, port: int = 0) -> dict[str, str]:
        """For a process of its own: settings are read once."""
        kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        where = {"VAR_DIR": str(self.folder), **({"DATABASE_URL": self.url} if self.url else {})}
        return {**kept, **where, "PORT": str(port or 8501), "LOG_LEVEL": "error"}


def _made(ledger: Ledger, tasks: int) -> Ledger:
    done = ledger.folder / "made"
    if not done.exists():
        command = [sys.executable, "-m", "benchmarks.ledger", "--tasks", str(tasks)]
        subprocess.run(command, env=ledger.environment(), check=True, stdout=subprocess.DEVNULL)
        ledger.folder.mkdir(parents=True, exist_ok=True)
        done.touch()
    else:  # it may be of an earlier schema
        upgrade = [sys.executable, "-c", "from models import migrate; migrate.upgrade()"]
        subprocess.run(upgrade, env=ledger.environment(), check=True)
    return ledger


@contextmanager
def ledgers(folder: Path, db: str, sizes: Sequence[int]) -> Iterator[list[Ledger]]:
    """One of each size, made where there is none."""
    if db == "sqlite":
        yield [_made(Ledger(folder / str(n)), n) for n in sizes]
        return
    with servers.postgresql(folder / "postgresql") as url:
        yield [_made(Ledger(folder / f"postgresql-{n}", _database(url, f"tasks_{n}")), n) for n in sizes]


def _database(url: str, name: str) -> str:
    """The URL of this database on the server, which may be a new one."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        known = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": name}).first()
        if known is None:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)
