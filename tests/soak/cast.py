"""Everything that runs during a soak, and how each fault strikes it. What was struck is put right again."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import psutil
import psycopg

from models import connect
from settings import settings
from tests.processes.bell import Valkey
from tests.processes.programs import Crew, Started
from tests.processes.servers import Server
from tests.soak.plan import Fault

SUPERVISORS, PROCESSES, THREADS, SCHEDULERS = 2, 2, 4, 2


class Cast:
    """Two supervisors with two workers each, two schedulers, perhaps a bell, and a database."""

    def __init__(self, crew: Crew, valkey: Valkey | None, server: Server | None) -> None:
        self._crew, self._valkey, self._server = crew, valkey, server
        self._supervisors = [self._supervisor() for _ in range(SUPERVISORS)]
        self._schedulers = [self._scheduler() for _ in range(SCHEDULERS)]
        self._locks = {name: threading.Lock() for name in ("bell", "database")}
        self._strokes: list[threading.Thread] = []
        self.failures: list[str] = []

    def strike(self, fault: Fault) -> None:
        """Begin a fault; it ends by itself."""
        act = getattr(self, "_" + fault.kind.replace(" ", "_").replace("the_", ""))
        stroke = threading.Thread(target=self._do, args=(act, fault), name=str(fault), daemon=True)
        self._strokes.append(stroke)
        stroke.start()

    def calm(self) -> None:
        """Wait until every fault is over."""
        for stroke in self._strokes:
            stroke.join(60)
            if stroke.is_alive():
                self.failures.append(f"a fault does not end: {stroke.name}")
        for one in (*self._supervisors, *self._schedulers):
            if not one.runs():
                self.failures.append(f"{one.name} has ended by itself:\n{one.said()[-2000:]}")

    def _do(self, act: Callable[[Fault], None], fault: Fault) -> None:
        try:
            act(fault)
        except Exception as error:
            self.failures.append(f"{fault}: {type(error).__name__}: {error}")

    def _supervisor(self) -> Started:
        return self._crew.supervised(PROCESSES, THREADS)

    def _scheduler(self) -> Started:
        return self._crew.start("scheduler", [sys.executable, "scheduler.py"])

    # Workers and schedulers

    def _worker(self, fault: Fault) -> int | None:
        found = []
        for one in self._supervisors:
            for process in one.descendants():
                with suppress(psutil.Error):
                    if "runtime.worker_process" in process.cmdline():
                        found.append(process.pid)
        return sorted(found)[fault.victim % len(found)] if found else None

    def _signal_worker(self, fault: Fault, number: int) -> int | None:
        pid = self._worker(fault)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def _kill_worker(self, fault: Fault) -> None:
        self._signal_worker(fault, signal.SIGKILL)

    def _ask_worker_to_stop(self, fault: Fault) -> None:
        self._signal_worker(fault, signal.SIGTERM)

    def _freeze_worker(self, fault: Fault) -> None:
        pid = self._signal_worker(fault, signal.SIGSTOP)
        time.sleep(fault.lasts_s)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _kill_supervisor(self, fault: Fault) -> None:
        self._replace(self._supervisors, fault, self._supervisor)

    def _kill_scheduler(self, fault: Fault) -> None:
        self._replace(self._schedulers, fault, self._scheduler)

    def _replace(self, those: list[Started], fault: Fault, again: Callable[[], Started]) -> None:
        which = fault.victim % len(those)
        with suppress(psutil.Error):
            for process in those[which].descendants():  # a frozen one could not hear of its parent's death
                process.resume()
        those[which].kill()
        time.sleep(fault.lasts_s)
        those[which] = again()

    def _freeze_scheduler(self, fault: Fault) -> None:
        one = self._schedulers[fault.victim % len(self._schedulers)]
        one.send(signal.SIGSTOP)
        time.sleep(fault.lasts_s)
        one.send(signal.SIGCONT)

    # The bell

    def _kill_bell(self, fault: Fault) -> None:
        assert self._valkey is not None
        with self._locks["bell"]:
            self._valkey.kill()
            time.sleep(fault.lasts_s)
            self._valkey.start()

    def _empty_bell(self, fault: Fault) -> None:
        assert self._valkey is not None
        with self._locks["bell"]:
            self._valkey.flush()

    def _freeze_bell(self, fault: Fault) -> None:
        assert self._valkey is not None
        with self._locks["bell"], self._valkey.frozen():
            time.sleep(fault.lasts_s)

    # The database

    def _hold_write_lock(self, fault: Fault) -> None:
        path = settings().var_dir / "callboard.sqlite3"
        with self._locks["database"], closing(connect.sqlite_module().connect(path, timeout=60)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(fault.lasts_s)

    def _restart_database(self, fault: Fault) -> None:
        assert self._server is not None
        with self._locks["database"]:
            self._server.stop()
            time.sleep(fault.lasts_s)
            self._server.start()

    def _cut_connections(self, fault: Fault) -> None:
        """Every second one."""
        assert self._server is not None
        with self._locks["database"], psycopg.connect(self._address) as connection:
            connection.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND pid %% 2 = %s""",
                [fault.victim % 2],
            )

    def _freeze_database(self, fault: Fault) -> None:
        with self._locks["database"], self._frozen_backends():
            time.sleep(fault.lasts_s)

    @property
    def _address(self) -> str:
        assert self._server is not None
        return self._server.url.replace("+psycopg", "")

    @contextmanager
    def _frozen_backends(self) -> Iterator[None]:
        with psycopg.connect(self._address) as connection:
            rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
            pids = [pid for (pid,) in rows if pid != connection.info.backend_pid]
        try:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
