"""`make start`: everything on this machine, under one supervisor: Valkey, the workers, the scheduler, the console."""

import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.text import Text
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from models import connect, db, migrate
from runtime import embedded, instance, web, worker
from runtime.follow import Follower, tail
from runtime.program import NotStarted, Program
from runtime.ready import wait_ready
from runtime.supervisor import Supervisor
from services import address, bell, log, sessions, workers
from settings import ROOT, settings

BELL, WORKERS, FACES = range(3)  # stages: what is started later is stopped earlier
READY_S = 90.0

terminal = Console(highlight=False)


def main() -> int:
    """Run until Ctrl-C or SIGTERM; the exit code. A refusal is a sentence, and code 1."""
    log.configure()
    try:
        with instance.hold():
            instance.check_port()
            _migrate()
            web.check_doors()
            return _run(_programs(settings().var_dir.absolute() / "log"))
    except NotStarted as refusal:
        _say(str(refusal), "red")
        return 1


def _migrate() -> None:
    try:
        db.engine()
        before, after = migrate.current(), migrate.upgrade()
        workers.bury_the_dead_here()  # of a run that was killed: their tasks go on at once
    except connect.UnsafeSqlite as refusal:
        raise NotStarted(str(refusal)) from None
    except OperationalError as error:
        raise NotStarted(f"The database cannot be used: {_database()}: {error.orig}") from None
    if before != after:
        _say(f"Database: {'created' if before is None else f'brought from {before}'} at revision {after}.")


def _programs(logs: Path) -> list[Program]:
    programs = []
    if settings().redis_url is None:
        try:
            programs.append(embedded.program(logs / "valkey.log"))
        except NotStarted as reason:
            _say(f"{reason} Until then workers look for work once a second.", "yellow")
    return [
        *programs,
        *worker.programs(settings().worker_processes, log_folder=logs, stage=WORKERS),
        Program("scheduler", [sys.executable, "scheduler.py"], log=logs / "scheduler.log", stage=FACES),
        web.program(log=logs / "web.log", stage=FACES),
    ]


def _run(programs: list[Program]) -> int:
    follower = Follower([p.log for p in programs if p.log and p.name != "valkey"], _show)
    follower.start()
    stopped = threading.Event()
    announcer = threading.Thread(target=_announce, args=(stopped,), name="announcer", daemon=True)
    announcer.start()
    try:
        return Supervisor(programs, on_death=_Deaths()).run()
    finally:
        stopped.set()
        follower.finish()
        _say("Stopped. `make start` goes on where it was.")


class _Deaths:
    """Tells the ledger of each, and shows why a program failed: once a minute, as one that cannot start keeps dying."""

    def __init__(self) -> None:
        self._shown: dict[str, float] = {}

    def __call__(self, program: Program, pid: int, code: int) -> None:
        if code > 0 and program.log and time.monotonic() - self._shown.get(program.name, -60.0) >= 60:
            self._shown[program.name] = time.monotonic()
            _say(f"The last lines of {_short(program.log)}:\n{tail(program.log)}", "dim")
        worker.report_death(program, pid, code)


def _say(text: str, style: str = "") -> None:
    harmless = "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)  # no log steers the terminal
    with suppress(OSError):  # the terminal may be gone
        terminal.print(Text(harmless, style), soft_wrap=True)


def _show(name: str, line: str) -> None:
    _say(f"{name}  {line}", "yellow")


def _announce(stopped: threading.Event) -> None:
    began = time.monotonic()
    try:
        wait_ready(READY_S, gone=stopped.is_set)
    except NotStarted as late:
        if not stopped.is_set():
            _say(f"{late} Callboard goes on trying.", "yellow")
        return
    _say(f"\nCallboard is up after {time.monotonic() - began:.1f} s.\n", "bold green")
    for what, where in _places().items():
        _say(f"  {what:<11}{where}")
    _say(f"\nOpen the console (signs you in once, within the hour):\n\n  {_way_in()}", "bold")
    _say("")


def _way_in() -> str:
    try:
        return address.sign_in(sessions.link())
    except SQLAlchemyError as error:
        return f"{web.url()} (no link could be made: {type(error).__name__}; see `python -m console.accounts link`)"


def _places() -> dict[str, str]:
    served = ", ".join(settings().worker_queues) or "all queues"
    example = 'from actors.bulk_analysis import bulk_analysis; bulk_analysis.enqueue(data={"artifact": 1})'
    return {
        "Console": web.url(),
        "Workers": f"{settings().worker_processes} processes × {settings().worker_threads} threads, {served}",
        "Database": _database(),
        "Artifacts": settings().artifacts_url or _short(settings().var_dir / "artifacts"),
        "Bell": _bell(),
        "Logs": f"{_short(settings().var_dir / 'log')} (warnings are shown here, too)",
        "Python": f"{_short(Path(sys.executable))}: {example}",
        "Stop": "Ctrl-C; what runs is handed back and goes on at the next start",
    }


def _database() -> str:
    url = make_url(settings().database)
    if url.get_backend_name() == "sqlite":
        return f"SQLite, {_short(Path(url.database or ''))}"
    return f"PostgreSQL, {url.database} on {url.host or 'this machine'}"


def _bell() -> str:
    url = urlsplit(settings().bell_url)
    return (url.hostname or _short(Path(url.path))) if bell.is_heard() else "away; workers look once a second"


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_absolute() and path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
