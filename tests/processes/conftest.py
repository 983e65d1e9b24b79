"""Worker processes for real, on both databases, with graces scaled down, and leases where they are to run out."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

import settings as settings_module
from models import connect, migrate
from tests.conftest import empty, forget, use
from tests.processes.bell import Valkey
from tests.processes.programs import Crew, Started
from tests.processes.servers import Server
from tests.services.kit import assert_sound
from tests.support import ONE

LEASE_S, STOP_GRACE_S, CANCEL_GRACE_S = 10.0, 1.0, 0.7  # the lease as it is out of the box
SCALED = {
    "LEASE_S": str(LEASE_S), "BEAT_S": "1", "POLL_S": "0.3", "STOP_GRACE_S": str(STOP_GRACE_S),
    "CANCEL_GRACE_S": str(CANCEL_GRACE_S), "WORKER_THREADS": "4", "ACTOR_MODULES": "tests.processes.odd_kinds",
    "CODE_VERSION": "test", "LOG_FORMAT": "json", "LOG_LEVEL": "info",
}  # fmt: skip

# For tests whose point is that a lease runs out, as in `worker(**SHORT_LEASES)`; no other may depend on being quick
SHORT_LEASE_S = 4.0
SHORT_LEASES = {"LEASE_S": str(SHORT_LEASE_S), "BEAT_S": "0.5"}

STALL_S = 5.0  # so long a busy machine may do nothing at all: whatever is promised may come that much later


@pytest.fixture
def ledger(ledger: str) -> Iterator[str]:
    """The empty ledger on each database; after the test, when all its processes have ended, the doctor looks at it."""
    yield ledger
    assert_sound(but=())


@pytest.fixture
def crew(ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """Starts processes on the empty ledger. Afterwards nothing is left of them."""
    for name, value in SCALED.items():
        monkeypatch.setenv(name, value)
    settings_module.settings.cache_clear()
    yield from _attended(tmp_path)


@pytest.fixture
def worker(crew: Crew) -> Callable[..., Started]:
    """Starts a worker process; settings may be given in capitals."""
    return crew.worker


@pytest.fixture
def supervised(crew: Crew) -> Callable[..., Started]:
    """Starts worker processes under their supervisor."""
    return crew.supervised


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """A ledger and a crew for all tests of a module: for those that disturb nobody."""
    folder = tmp_path_factory.mktemp("shared")
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    with pytest.MonkeyPatch.context() as patch:
        use(patch, folder / "var", url, **SCALED)
        migrate.upgrade()
        if url is not None:
            empty()
        yield from _attended(folder)
        assert_sound(but=())
        forget()


# As `one_ledger`: for what the database has no part in
one_shared = pytest.mark.parametrize("shared", ONE, indirect=True, scope="module")


@pytest.fixture
def valkey(crew: Crew, monkeypatch: pytest.MonkeyPatch) -> Iterator[Valkey]:
    """A running bell that workers started later listen to."""
    folder = Path(tempfile.mkdtemp(prefix="bell-"))  # a socket's path must be short
    server = Valkey(crew, folder)
    monkeypatch.setenv("REDIS_URL", server.url)
    settings_module.settings.cache_clear()
    server.start()
    yield server
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def locked(ledger: str) -> Callable[..., AbstractContextManager[None]]:
    """`with locked():` nobody can commit; on PostgreSQL `locked("attempts")` holds up those who write that table."""
    return sqlite_locked if ledger == "sqlite" else postgresql_locked


@contextmanager
def sqlite_locked() -> Iterator[None]:
    """Hold SQLite's only write lock, as another program may."""
    with closing(
        connect.sqlite_module().connect(settings_module.settings().var_dir / "callboard.sqlite3")
    ) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def postgresql_locked(*names: str) -> Iterator[None]:
    """Lock tables (all that workers write, unless they are named) against everybody else's writing."""
    with psycopg.connect(settings_module.settings().database.replace("+psycopg", "")) as connection:
        connection.execute(f"LOCK TABLE {', '.join(names or ('tasks', 'attempts', 'workers'))} IN EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.fixture
def frozen_server(postgres_server: str) -> Callable[[], AbstractContextManager[None]]:
    """`with frozen_server():` PostgreSQL does not answer, and does not say so either."""

    @contextmanager
    def frozen() -> Iterator[None]:
        with psycopg.connect(postgres_server.replace("+psycopg", "")) as connection:
            (folder,) = connection.execute("SHOW data_directory").fetchone() or ("",)
        master = psutil.Process(int((Path(folder) / "postmaster.pid").read_text().splitlines()[0]))
        backends: list[psutil.Process] = []
        master.suspend()  # first, so that it starts no others; those that are ending may be gone at any time
        try:
            backends += [p for p in master.children() if _serves_tests(p)]
            for process in backends:
                with suppress(psutil.NoSuchProcess):
                    process.suspend()
            yield
        finally:
            for process in (*backends, master):
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    return frozen


def _serves_tests(process: psutil.Process) -> bool:
    try:
        return "callboard_test" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def own_server(crew: Crew, tmp_path: Path) -> Iterator[Server]:
    """A PostgreSQL that only this test uses, with an empty ledger; `stop` and `start` it."""
    with served_by(Server(), crew, tmp_path) as server:
        yield server


@contextmanager
def served_by(server: Server, crew: Crew, folder: Path) -> Iterator[Server]:
    """Its ledger is everybody's; in the end the doctor looks at it."""
    try:
        with pytest.MonkeyPatch.context() as patch:
            use(patch, folder / "own", server.url, **SCALED)
            migrate.upgrade()
            yield server
            assert not crew.end()
            assert_sound(but=())
    finally:
        crew.end()
        forget()
        server.remove()


def _attended(folder: Path) -> Iterator[Crew]:
    crew = Crew(folder)
    try:
        yield crew
    finally:
        left = crew.end()
    assert not left, f"processes were left behind: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    """With a failure, show what the processes said."""
    report = yield
    crew = getattr(item, "funcargs", {}).get("crew") or getattr(item, "funcargs", {}).get("shared")
    if report.failed and isinstance(crew, Crew):
        for one in crew.all:
            report.sections.append((f"output of {one.name} ({one.pid})", one.said()[-6000:]))
    return report
