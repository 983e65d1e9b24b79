"""Who runs: Callboard on both databases, and the peers with the settings their documentation names."""

import ast
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stores
from benchmarks.environment import ROOT, peers_python
from benchmarks.stores import Server


@dataclass(frozen=True)
class Contender:
    """A row of the table."""

    name: str
    module: str  # in benchmarks.peers
    variant: str = ""
    keeps_in: str = "redis"  # or postgresql, sqlite: where the work is
    keeps: str = ""  # what it remembers of a job that has ended
    pace: int = 5_000  # no-op jobs a second, about: the slower ones get fewer jobs

    @property
    def ours(self) -> bool:
        """Whether it is Callboard."""
        return self.module == "callboard"

    @property
    def python(self) -> str:
        """The interpreter that has it."""
        return sys.executable if self.ours else peers_python()


CONTENDERS = {
    "callboard_postgresql": Contender("Callboard, PostgreSQL", "callboard", "", "postgresql", "everything"),
    "callboard_sqlite": Contender("Callboard, SQLite", "callboard", "", "sqlite", "everything"),
    "dramatiq": Contender("Dramatiq, Redis", "dramatiq", keeps="nothing", pace=2_500),
    "dramatiq_results": Contender("Dramatiq, Redis, results", "dramatiq", "results", keeps="the result", pace=2_000),
    "celery": Contender("Celery, Redis", "celery", keeps="nothing", pace=600),
    "celery_redis": Contender("Celery, Redis, results in Redis", "celery", "redis", keeps="the result", pace=400),
    "celery_database": Contender(
        "Celery, Redis, results in PostgreSQL", "celery", "database", keeps="the result", pace=200
    ),
    "rq": Contender("RQ, Redis", "rq", keeps="job and result", pace=60),
    "huey_redis": Contender("Huey, Redis", "huey", "redis", keeps="the result", pace=3_000),
    "huey_postgresql": Contender("Huey, PostgreSQL", "huey", "postgresql", "postgresql", "the result", pace=2_000),
    "taskiq": Contender("taskiq, Redis stream", "taskiq", keeps="nothing", pace=2_500),
    "taskiq_results": Contender("taskiq, Redis stream, results", "taskiq", "results", keeps="the result", pace=1_800),
    "arq": Contender("arq, Redis", "arq", keeps="the result", pace=600),
    "procrastinate": Contender("Procrastinate, PostgreSQL", "procrastinate", "", "postgresql", "the job", pace=350),
    "pgqueuer": Contender("PGQueuer, PostgreSQL", "pgqueuer", "", "postgresql", "a line of log", pace=3_500),
    "pgqueuer_100": Contender(
        "PGQueuer, PostgreSQL, batch 100", "pgqueuer", "100", "postgresql", "a line of log", pace=8_000
    ),
}
KEEPING = {
    "callboard_postgresql_results": Contender(
        "Callboard, PostgreSQL, results", "callboard", "results", "postgresql", "everything"
    ),
    "callboard_sqlite_results": Contender("Callboard, SQLite, results", "callboard", "results", "sqlite", "everything"),
}
SILENT = {
    "callboard_postgresql_silent": Contender("Callboard, PostgreSQL, no bell", "callboard", "silent", "postgresql"),
    "callboard_sqlite_silent": Contender("Callboard, SQLite, no bell", "callboard", "silent", "sqlite"),
}


def chosen(wanted: str) -> list[str]:
    """Keys of Callboard and of the peers named, each by the beginning of its key; `all`, or `none`."""
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    known = {*CONTENDERS, *(contender.module for contender in CONTENDERS.values()), "all", "none"}
    if unknown := [name for name in names if name not in known]:
        raise SystemExit(f"There is no peer {unknown[0]!r}; there are {', '.join(sorted(known))}.")
    return [
        key
        for key, contender in CONTENDERS.items()
        if contender.ours or "all" in names or key in names or contender.module in names
    ]


def settings_of(contender: Contender) -> str:
    """How it is set up, in the words of its file."""
    said = ast.get_docstring(ast.parse((ROOT / "benchmarks" / "peers" / f"{contender.module}.py").read_text())) or ""
    return f"{said} (VARIANT {contender.variant})" if contender.variant else said


@contextmanager
def surroundings(
    contender: Contender, valkey: Server, postgresql: Server, database: str = ""
) -> Iterator[dict[str, str]]:
    """The environment of one run: empty stores (or the `database` that is given), and a folder for what it notes."""
    relational = contender.keeps_in == "postgresql" or contender.variant == "database"
    with tempfile.TemporaryDirectory(prefix="cb-bench-") as folder:
        kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment = {
            **kept, "PYTHONPATH": str(ROOT), "BENCH_DIR": folder, "VARIANT": contender.variant,
            "REDIS_URL": stores.emptied(valkey),
            "POSTGRES_URL": (database or stores.new_database(postgresql)) if relational else "",
            "SERVERS": f"{valkey.pid},{postgresql.pid}" if relational else str(valkey.pid),
        }  # fmt: skip
        yield environment | (_ours(contender, environment, database) if contender.ours else {})


def _ours(contender: Contender, environment: dict[str, str], database: str) -> dict[str, str]:
    """What Callboard is told beside it, in the words of its settings."""
    folder = environment["BENCH_DIR"]
    told = {"VAR_DIR": folder, "ACTOR_MODULES": "benchmarks.peers.callboard", "LOG_LEVEL": "error"}
    if contender.keeps_in == "postgresql":
        told["DATABASE_URL"] = stores.for_sqlalchemy(environment["POSTGRES_URL"])
    elif database:
        told["VAR_DIR"] = str(Path(database).parent)
    if contender.variant == "silent":
        told["REDIS_URL"] = f"unix://{folder}/nobody.sock"
    return told
