"""The disk fills up under workers, and has room again: what was accepted is done, once, and nothing is half done."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from models import Outcome, Status, now
from services import tasks
from services.errors import Unwritable
from tests.processes import facts, kinds
from tests.processes.conftest import SHORT_LEASE_S, SHORT_LEASES, served_by
from tests.processes.servers import Server
from tests.services import kit, troubles
from tests.services.troubles import FullDisk, Trouble
from tests.support import THOROUGH, one_ledger, wait_until

DISK_BYTES = 16 * 2**20
OUTAGE_S = SHORT_LEASE_S * (3.3 if THOROUGH else 1.2)  # after three leases a worker that cannot beat may end


@pytest.fixture
def disk(ledger: str) -> Iterator[Trouble]:
    """The ledger's own (on PostgreSQL that of what every enqueue and every ending adds to)."""
    with troubles.full(ledger, DISK_BYTES) as made:
        yield made


def lines(witness, word):
    """The tasks whose body has said so, each as often as it did."""
    said = [line.split() for line in witness.read_text().splitlines()] if witness.exists() else []
    return sorted(int(line[0]) for line in said if line[-1] == word)


def accepted_until_refused() -> list[int]:
    accepted: list[int] = []
    with pytest.raises(Unwritable, match="its disk is full"):
        for _ in range(3_000):
            accepted.append(kinds.echo.enqueue(text="x" * 2_000).id)
    return accepted


@one_ledger  # on PostgreSQL the services below are tried
def test_workers_whose_disk_fills_up_wait_for_room_and_lose_nothing(disk, crew, tmp_path, ledger):
    if disk.disk is not None:  # what the first has to say is on that disk, too
        (tmp_path / "worker0.log").symlink_to(disk.disk / "said.log")
    witness = tmp_path / "witness"
    both = [crew.worker(WORKER_THREADS="3", **SHORT_LEASES) for _ in range(2)]
    for one in both:
        one.up()
    running = kinds.sleepy.enqueue_many([{"seconds": 1.5, "witness": str(witness)}] * 6)
    wait_until(lambda: len(lines(witness, "start")) == 6, what="the start of all")
    disk.begin()
    began = now()
    accepted = accepted_until_refused()
    wait_until(lambda: lines(witness, "end") == running, what="the bodies' ends, on a full disk")
    wait_until(lambda: facts.seconds(now(), began) > OUTAGE_S, what="the end of the leases")
    assert all(one.runs() for one in both)
    assert Status.completed not in kit.status(*running), "there was room"
    disk.end()
    facts.completed([*running, *accepted, kinds.echo.enqueue().id])
    assert lines(witness, "start") == running, "each ran once"
    assert {tuple(facts.outcomes(task)) for task in running} == {(Outcome.completed,)}
    assert not facts.events("rescue")
    assert not facts.events("fence")
    said = both[1].said()
    assert "the database is away; endings wait" in said
    assert "the database is back" in said
    assert ledger == "postgresql" or '"beats fail", "error": "its disk is full"' in said
    assert "Traceback" not in said
    assert [tasks.get(task).losses for task in running] == [0] * 6
    assert not crew.end()
    kit.assert_sound(but=())


@pytest.fixture
def small_server(crew, tmp_path) -> Iterator[tuple[Server, FullDisk]]:
    """A PostgreSQL of one's own, all of it on a disk of its own."""
    place = Path(tempfile.mkdtemp(prefix="callboard-full-", dir="/tmp"))
    with troubles.mounted_at(place, 128 * 2**20) as mounted:
        if not mounted:
            pytest.skip("this user may not mount a disk")
        place.chmod(0o711)  # the server runs as a user of its own
        (place / "data").mkdir()
        with served_by(Server(place / "data"), crew, tmp_path) as server:
            yield server, FullDisk(place)
    place.rmdir()


@pytest.mark.skipif(not THOROUGH, reason="only in `make test-all`")
@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_postgresql_has_no_room_for_its_log_stops_and_is_started_again(small_server, worker, tmp_path):
    server, disk = small_server
    witness = tmp_path / "witness"
    one = worker(WORKER_THREADS="4", **SHORT_LEASES).up()
    running = kinds.sleepy.enqueue_many([{"seconds": 1.5, "witness": str(witness), "checks": False}] * 4)
    wait_until(lambda: len(lines(witness, "start")) == 4, what="the start of all")
    disk.begin()
    with (
        pytest.raises(psycopg.OperationalError, match="No space left on device|server closed"),
        psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection,
    ):
        while True:  # until no segment can be added
            connection.execute("SELECT pg_logical_emit_message(false, 'callboard', 'room?'), pg_switch_wal()")
    wait_until(lambda: lines(witness, "end") == running, what="the bodies' ends, without a database")
    disk.end()
    with suppress(subprocess.CalledProcessError):  # it may have given itself up
        server.stop()
    server.start()
    facts.completed([*running, kinds.echo.enqueue().id])
    assert lines(witness, "start") == running, "each ran once"
    assert {tuple(facts.outcomes(task)) for task in running} == {(Outcome.completed,)}
    assert not facts.events("rescue")
    assert one.runs()
