"""A full disk, and a database that may only be read: refused with a sentence, and nothing that was accepted is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from models import Status, connect, db, migrate
from runtime import doctor, health, release, start
from runtime.program import NotStarted
from runtime.writer import Writer
from services import artifacts, tasks
from services.errors import Unwritable
from services.lifecycle import rescue
from services.marks import Marks, take
from tests.conftest import forget
from tests.services import kit, troubles
from tests.services.troubles import Trouble
from tests.support import wait_until

CANNOT_WRITE = [("sqlite", "full"), ("postgresql", "full"), ("postgresql", "read_only")]  # and can read
WORDS = {"full": "its disk is full", "read_only": "let themselves be written to"}


@pytest.fixture(params=["full", "read_only"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def trouble(core: str, kind: str) -> Iterator[Trouble]:
    with getattr(troubles, kind)(core) as made:
        yield made


def enqueue_until_refused() -> tuple[list[int], str]:
    """What was accepted: there may be some room left on a page; and the refusal."""
    accepted: list[int] = []
    with pytest.raises(Unwritable) as refusal:
        for _ in range(200):
            accepted.append(tasks.enqueue("greet", {"name": "x" * 500}).id)
    return accepted, str(refusal.value)


def test_an_enqueue_is_refused_and_an_ending_waits_until_it_can_be_written(trouble, kind):
    claimed = kit.take_one(kit.greet())
    trouble.begin()
    accepted, words = enqueue_until_refused()
    assert words.startswith("the database cannot be written to: ")
    assert WORDS[kind] in words
    writer = Writer()
    writer.start()
    writer.hand_over(kit.ending(claimed, result=f'"{"x" * 200_000}"'))
    assert not writer.flush(0.5), "it was written although there is no room"
    assert writer.busy()
    if kind == "read_only":
        with pytest.raises(Unwritable):
            tasks.cancel(claimed.id)
    trouble.end()
    assert writer.stop(10)
    assert kit.status(claimed.id) == [Status.completed]
    accepted.append(kit.greet().id)
    assert kit.run_all() == len(accepted)


@pytest.mark.parametrize(("ledger", "kind"), CANNOT_WRITE, indirect=True)
def test_a_rescuer_that_could_not_write_waits_one_lease_for_the_beats_of_others(trouble):
    tasks.enqueue_many("greet", [{}] * 300)
    kit.take(300, lease_s=-1.0)
    trouble.begin()
    enqueue_until_refused()
    rescue.forget()
    with pytest.raises(DBAPIError):
        while rescue.rescue(1):  # until what room is left for small changes is used up
            pass
    trouble.end()
    assert rescue.rescue(1) == 0, "whose lease ran out could not beat"
    rescue.forget()
    assert rescue.rescue(1) == 1


@pytest.mark.parametrize(("ledger", "kind"), [("sqlite", "full")], indirect=True)
def test_a_worker_that_notes_its_starts_lives_on_when_the_disk_is_full(trouble):
    marks = Marks("w", 2_000)
    trouble.begin()
    for task_id in range(1, 2_000):
        marks.set(task_id, 1)
    trouble.end()
    assert len(take("w") or ()) == 1_999


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)  # where the disk is the folder's that has the files, too
def test_a_file_that_cannot_be_stored_is_refused_and_leaves_nothing(trouble, kind):
    if trouble.disk is None:
        pytest.skip("this user may not mount a disk")
    artifacts.save("before.bin", b"x")
    trouble.begin()
    with pytest.raises(Unwritable, match="the store of artifacts cannot be written to: its disk is full|it may only"):
        artifacts.save("a.bin", b"x" * 2**20)
    trouble.end()
    assert len([file for file in trouble.disk.glob("artifacts/inputs/*") if file.is_file()]) == 1
    assert artifacts.read(artifacts.save("a.bin", b"y").id) == b"y"


def test_where_all_connections_are_taken_an_enqueue_is_refused_and_an_ending_waits(core, monkeypatch):
    claimed = kit.take_one(kit.greet())
    pool = db.engine().pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    taken = [db.engine().connect() for _ in range(pool.size() + pool._max_overflow)]
    with pytest.raises(Unwritable, match="all connections of this process are taken"):
        kit.greet()
    writer = Writer()
    writer.start()
    writer.hand_over(kit.ending(claimed))
    assert not writer.flush(0.5)
    for each in taken:
        each.close()
    assert writer.stop(10)
    assert kit.status(claimed.id) == [Status.completed]


def test_a_flush_waits_for_lines_that_are_taken_out_and_not_committed(core, monkeypatch):
    claimed = kit.take_one(kit.greet())
    pool = db.engine().pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    taken = [db.engine().connect() for _ in range(pool.size() + pool._max_overflow)]
    writer = Writer()
    writer.start()
    writer.log((claimed.id, claimed.epoch), {"seq": 1, "level": "info", "message": "last words"})
    wait_until(lambda: not writer._lines)
    assert not writer.flush(0.1)
    for each in taken:
        each.close()
    assert writer.stop(10)
    assert [line.message for line in tasks.logs(claimed.id)] == ["last words"]


@pytest.fixture
def unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder for the database that cannot be one, whatever this user's rights are."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/file/callboard.sqlite3")
    forget()
    yield
    forget()


def test_every_program_says_in_a_sentence_that_it_cannot_open_its_database(unusable, capfd):
    assert release.main() == os.EX_TEMPFAIL
    assert health.main() == 1
    assert doctor.main([]) == 2
    assert not migrate.wait_until_current(timeout_s=0.1, every_s=0.05)  # as a worker and a scheduler begin
    with pytest.raises(NotStarted, match="unable to open database file"):
        start._migrate()
    with pytest.raises(Unwritable, match="its file cannot be opened"):
        tasks.enqueue("greet", {})
    said = "".join(capfd.readouterr())
    assert "The database cannot be migrated: unable to open database file" in said
    assert "The ledger cannot be looked at" in said
    assert "the database cannot be reached: unable to open database file; waiting for it" in said
    assert "Traceback" not in said


def test_a_library_of_sqlite_that_may_corrupt_the_ledger_is_refused(monkeypatch):
    monkeypatch.setattr(connect, "SQLITE_NEEDS", (99, 0, 0))
    with pytest.raises(connect.UnsafeSqlite, match="no pysqlite3 wheel with 99.0.0 or newer"):
        connect.sqlite_module()
    forget()
    with pytest.raises(NotStarted, match="may corrupt a database"):
        start._migrate()
