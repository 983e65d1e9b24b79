"""One installation a VAR_DIR, in a private folder, on a free port; each refusal says what to do."""

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import instance
from runtime.program import NotStarted
from settings import ROOT, settings
from tests.support import wait_until

HOLD = "from runtime import instance\nwith instance.hold():\n    print('holds', flush=True); input()"


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    settings.cache_clear()
    mask = os.umask(0o022)
    yield tmp_path / "var"
    os.umask(mask)
    settings.cache_clear()


@pytest.fixture
def another(var_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the same VAR_DIR."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout
    assert holder.stdout.readline() == "holds\n"
    yield holder
    holder.kill()
    holder.communicate()


@pytest.fixture
def taken(var_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("PORT", str(listener.getsockname()[1]))
        settings.cache_clear()
        yield listener.getsockname()[1]


def test_the_folder_and_the_new_files_in_it_are_private(var_dir):
    with instance.hold():
        (var_dir / "new").touch()
    assert {stat.S_IMODE(p.stat().st_mode) for p in (var_dir, var_dir / "log")} == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in (var_dir / "new", instance.lock_file())} == {0o600}


def test_a_folder_that_others_can_write_to_is_refused(var_dir):
    var_dir.mkdir()
    var_dir.chmod(0o777)
    with pytest.raises(NotStarted, match="can be written to by others"), instance.hold():
        pass


def test_a_folder_that_is_a_file_is_refused(var_dir):
    var_dir.touch()
    with pytest.raises(NotStarted, match="cannot be used: File exists"), instance.hold():
        pass


def test_a_second_one_in_the_same_folder_is_told_where_the_first_is(another):
    assert instance.running()
    with pytest.raises(NotStarted, match=rf"http://127\.0\.0\.1:\d+ \(process {another.pid}\)"), instance.hold():
        pass


def test_what_was_killed_does_not_run_and_is_followed_by_the_next(another):
    another.kill()
    another.wait()
    wait_until(lambda: not instance.running(), what="the end of the lock")
    with instance.hold():
        assert others_see_it_running()


def others_see_it_running() -> bool:
    asked = subprocess.run(
        [sys.executable, "-c", "from runtime import instance; print(instance.running())"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return asked.stdout == "True\n"


def test_nothing_runs_in_a_folder_that_is_not_there(var_dir):
    assert not instance.running()
    assert not var_dir.exists()


def test_a_taken_port_is_named_with_one_that_is_free(taken):
    with pytest.raises(NotStarted, match=f"cannot listen on 127.0.0.1:{taken}") as refusal:
        instance.check_port()
    offered = re.search(r"`PORT=(\d+) make start`", str(refusal.value))
    assert offered
    with socket.create_server(("127.0.0.1", int(offered[1]))):
        pass


def test_an_address_of_another_machine_is_refused(var_dir, monkeypatch):
    monkeypatch.setenv("HOST", "192.0.2.1")  # of a network kept for documentation
    settings.cache_clear()
    with pytest.raises(NotStarted, match=r"192\.0\.2\.1"):
        instance.check_port()


def test_a_name_that_is_no_address_is_refused(var_dir, monkeypatch):
    monkeypatch.setenv("HOST", "no-such-host.invalid")
    settings.cache_clear()
    with pytest.raises(NotStarted, match=r"HOST=no-such-host\.invalid"):
        instance.check_port()
