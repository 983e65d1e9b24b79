"""One soak: the load and the faults, the quiet after them, and what the doctor says."""

import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from models import db, migrate, reading
from services import doctor, schedules
from services.errors import ServiceError
from tests.conftest import forget, use
from tests.processes.bell import Valkey
from tests.processes.programs import Crew
from tests.processes.servers import Server
from tests.services import kit
from tests.soak.cast import Cast
from tests.soak.load import Load, release_held
from tests.soak.plan import LEASE_S, Fault, plan

QUIET_S = 180.0
SCALED = {
    "LEASE_S": str(LEASE_S), "BEAT_S": "0.5", "POLL_S": "0.5", "STOP_GRACE_S": "1", "CANCEL_GRACE_S": "1",
    "ACTOR_MODULES": "tests.soak.kinds", "CODE_VERSION": "soak", "LOG_FORMAT": "json",
}  # fmt: skip

terminal = Console(highlight=False, soft_wrap=True)


def soak(seed: int, seconds: float, database: str, bell: bool) -> bool:
    """Run one; whether all was well."""
    faults = plan(seed, seconds, database, bell)
    title = f"{database}, {'with' if bell else 'without'} the bell"
    terminal.print(f"[bold]{title}[/bold]: seed {seed}, {seconds:.0f} s, {len(faults)} faults")
    with place(database) as (folder, server):
        crew = Crew(folder)
        try:
            wrong = _storm(crew, server, seed, seconds, faults, bell, folder)
        finally:
            left = crew.end()
        wrong += [f"a process was left behind: {words}" for words in left]
        if wrong:
            kept = Path(tempfile.mkdtemp(prefix="soak-"))
            shutil.copytree(folder, kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock"))
            wrong.append(f"the logs, and SQLite's file, are kept in {kept}")
    for each in wrong:
        terminal.print(f"  [red]WRONG[/red] {each}", markup=True)
    terminal.print(f"  {title}: {'[red]NOT CLEAN[/red]' if wrong else '[green]clean[/green]'}\n")
    return not wrong


@contextmanager
def place(database: str, **more: str) -> Iterator[tuple[Path, Server | None]]:
    """A folder and an empty ledger of one's own."""
    folder = Path(tempfile.mkdtemp(prefix="cb-soak-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the PostgreSQL wheel asks for a private one
    server = Server() if database == "postgresql" else None
    try:
        with pytest.MonkeyPatch.context() as patch:
            use(patch, folder / "var", server.url if server else None, **{**SCALED, **more})
            migrate.upgrade()
            yield folder, server
            db.engine().dispose()
    finally:
        forget()
        if server is not None:
            server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def _storm(
    crew: Crew, server: Server | None, seed: int, seconds: float, faults: list[Fault], bell: bool, folder: Path
) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        valkey = None
        if bell:
            valkey = Valkey(crew, folder)
            patch.setenv("REDIS_URL", valkey.url)
            valkey.start()
        import settings

        settings.settings.cache_clear()
        cast, load = Cast(crew, valkey, server), Load(seed)
        load.start()
        _strike(cast, faults, seconds)
        cast.calm()
        load.stop()
        wrong = [*cast.failures, *load.errors]
        wrong += _quiet()
        wrong += _judged(load)
        return wrong


def _strike(cast: Cast, faults: list[Fault], seconds: float) -> None:
    began = time.monotonic()
    told = 0.0
    for fault in faults:
        time.sleep(max(0.0, began + fault.at_s - time.monotonic()))
        cast.strike(fault)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            with suppress(DBAPIError):
                terminal.print(f"  {fault.at_s:4.0f} s, {_counts()}", style="dim")
    time.sleep(max(0.0, began + seconds - time.monotonic()))


def _counts() -> str:
    with reading() as session:
        rows = session.execute(text("SELECT status, count(*) AS n FROM tasks GROUP BY status ORDER BY status"))
        return ", ".join(f"{row.n} {row.status}" for row in rows)


def _quiet() -> list[str]:
    """Wait until everything has ended, letting go of what is held."""
    deadline = time.monotonic() + QUIET_S
    with reading() as session:
        ids = session.execute(text("SELECT id FROM schedules")).scalars().all()
    for schedule in ids:
        schedules.disable(schedule, "the soak is over")
    while time.monotonic() < deadline:
        with suppress(ServiceError):
            while release_held():
                pass
        if not kit.count("finished_at IS NULL"):
            return []
        time.sleep(0.2)
    return [f"after {QUIET_S:.0f} s of quiet not all has ended: {_counts()}"]


def _judged(load: Load) -> list[str]:
    """The doctor's word, and what became of what was accepted."""
    wrong = [f"{f} ({f.check.name})" for result in doctor.examine() for f in result.findings]
    with reading() as session:
        status = dict(session.execute(text("SELECT id, status FROM tasks")).all())
        outcomes = Counter(dict(session.execute(text("SELECT outcome, count(*) FROM attempts GROUP BY outcome")).all()))
        verbs = Counter(dict(session.execute(text("SELECT verb, count(*) FROM events GROUP BY verb")).all()))
        fires = dict(session.execute(text("SELECT outcome, count(*) FROM fires GROUP BY outcome")).all())
    accepted, cut = set(load.accepted), outcomes["lost"] + outcomes["handed_back"]
    if gone := accepted - status.keys():
        wrong.append(f"{len(gone)} tasks were accepted and are gone: {sorted(gone)[:10]}")
    ends = Counter(status.values())
    terminal.print(
        f"  accepted {len(accepted):,} ({len(status):,} with children, fires and what was accepted without an answer): "
        f"completed {ends['completed']:,}, failed {ends['failed']:,}, cancelled {ends['cancelled']:,}\n"
        f"  rescued {verbs['rescue']:,}, fenced {verbs['fence']:,}, repeated {cut:,}"
        f" (lost {outcomes['lost']:,}, handed back {outcomes['handed_back']:,}), retried {outcomes['retried']:,}\n"
        f"  fires {fires}, acts {dict(load.acts)}, database away for {load.away} acts"
    )
    return wrong
