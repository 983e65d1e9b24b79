"""Writers of one SQLite file go one after the other, and nobody waits for ever."""

import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from models import turn
from models.turn import Turnstile
from settings import ROOT
from tests.support import wait_until

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("in", flush=True)
time.sleep(60)
"""


CROWD = """
import sys, threading, time
from models.turn import Turnstile

turnstile = Turnstile(sys.argv[1])

def pass_often():
    while True:
        with turnstile.turn():
            time.sleep(0.01)

for _ in range(4):
    threading.Thread(target=pass_often, daemon=True).start()
print("in", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "ledger-turn")


def taken(path: str) -> bool:
    """Whether somebody is inside, as another process would see it."""
    with Path(path).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_threads_and_processes_are_inside_one_at_a_time(path):
    first, second = Turnstile(path), Turnstile(path)  # as two processes have
    inside, most = 0, 0

    def pass_often(turnstile: Turnstile) -> None:
        nonlocal inside, most
        for _ in range(50):
            with turnstile.turn():
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=pass_often, args=(one,)) for one in (first, first, second, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert not taken(path)


def test_the_turn_of_a_killed_process_is_passed_on(path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    assert taken(path)
    holder.kill()
    holder.wait()
    with Turnstile(path).turn():
        assert taken(path)


def test_who_gets_no_turn_goes_on_without_and_takes_nobodys_away(path, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE_S", 0.05)
    ours, theirs = Turnstile(path), Turnstile(path)
    with theirs.turn():
        passed = threading.Event()

        def go() -> None:
            with ours.turn():
                passed.set()

        threading.Thread(target=go).start()
        wait_until(passed.is_set, what="going on without a turn")
        assert taken(path)


def test_who_stands_behind_a_slow_crowd_keeps_in_line(path):
    """On a slow disk; those who went on without a turn would compete with the beat that has one."""
    came = []

    def pass_thrice(turnstile: Turnstile) -> None:
        for _ in range(3):
            with turnstile.turn() as mine:
                came.append(mine)
                time.sleep(0.15)

    threads = [threading.Thread(target=pass_thrice, args=(Turnstile(path),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == [True] * 24


def test_an_error_inside_gives_the_turn_back(path):
    turnstile = Turnstile(path)
    with pytest.raises(ZeroDivisionError), turnstile.turn():
        raise ZeroDivisionError
    assert not taken(path)


def test_who_goes_first_is_let_in_by_a_crowd_of_another_process_and_of_its_own(path, monkeypatch):
    """A worker's beat, else, waits while the threads of a busy process pass the turn on among themselves."""
    monkeypatch.setattr(turn, "FIRST_PATIENCE_S", 0.3)
    crowd = subprocess.Popen([sys.executable, "-c", CROWD, path], cwd=ROOT, stdout=subprocess.PIPE)
    assert crowd.stdout is not None
    crowd.stdout.readline()
    ours, over = Turnstile(path), threading.Event()

    def pass_often() -> None:
        while not over.is_set():
            with ours.turn():
                time.sleep(0.01)

    threads = [threading.Thread(target=pass_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            time.sleep(0.02)
            with ours.first() as mine:
                assert mine
                assert taken(path)
    finally:
        over.set()
        crowd.kill()
        crowd.wait()
        for thread in threads:
            thread.join()
