"""The embedded Valkey, for real: on a Unix socket, alone, and never left behind."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runtime import embedded
from runtime.program import NotStarted
from settings import LONGEST_SOCKET_PATH, settings
from tests.forked import Forked
from tests.support import wait_until

SUPERVISE = (
    "import sys; from runtime import embedded, supervisor; sys.exit(supervisor.Supervisor([embedded.program()]).run())"
)


@pytest.fixture
def var_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("REDIS_URL", raising=False)
    yield from at(tmp_path, monkeypatch)


def at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("VAR_DIR", str(folder))
    settings.cache_clear()
    yield folder
    settings.cache_clear()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[], Forked]]:
    """Starts a supervised server, and returns its supervisor once the server answers."""
    started = []

    def start() -> Forked:
        process = Forked(SUPERVISE, says=tmp_path.with_suffix(".said"))
        started.append(process)
        wait_until(answers, what="a PING's answer")
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def supervised(var_dir: Path, supervise: Callable[[], Forked]) -> Forked:
    return supervise()


def answers() -> bool:
    try:
        return bool(client().ping())
    except redis.RedisError:
        return False


def client() -> redis.Redis:
    return redis.Redis(unix_socket_path=str(embedded.socket_path()), socket_timeout=2, retry=Retry(NoBackoff(), 0))


def server() -> psutil.Process:
    return psutil.Process(client().info("server")["process_id"])


def test_it_answers_on_a_socket_that_only_its_owner_can_use_and_on_no_port(supervised, var_dir):
    assert stat.S_IMODE(embedded.socket_path().stat().st_mode) == 0o700
    assert embedded.socket_path().parent == var_dir
    assert server().net_connections("inet") == []
    assert redis.Redis.from_url(settings().bell_url).ping()


def test_it_keeps_nothing_on_disk(supervised, var_dir):
    client().set("a", "b")
    before = server().pid
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: answers() and server().pid != before, what="a replacement")
    assert client().get("a") is None
    assert sorted(p.name for p in var_dir.iterdir()) == ["valkey.pid", "valkey.sock"]


def test_it_dies_with_its_supervisor(supervised):
    alone = server()
    supervised.kill()
    wait_until(lambda: not alone.is_running(), what="the end of Valkey")


def test_it_leaves_nothing_behind_when_it_is_asked_to_stop(supervised, var_dir):
    supervised.terminate()
    assert supervised.wait(30) == 0
    assert list(var_dir.iterdir()) == []


@pytest.mark.parametrize("state", ["at work", "frozen"])
def test_a_server_whose_owner_was_killed_is_ended_and_replaced(var_dir, state, supervise):
    argv = embedded.program().argv
    orphan = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(answers, what="the orphan's answer")
    if state == "frozen":
        orphan.send_signal(signal.SIGSTOP)
    embedded.reap(embedded.socket_path())
    assert orphan.wait(30) is not None
    supervise()
    assert server().pid != orphan.pid


def test_a_socket_that_nobody_serves_any_more_is_replaced(var_dir, supervise):
    argv = embedded.program().argv
    left = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(answers, what="an answer")
    left.kill()
    left.wait()
    assert embedded.socket_path().exists()
    assert not answers()
    assert supervise().poll() is None


def test_a_process_that_got_a_dead_server_s_pid_is_not_ended(var_dir):
    stranger = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    embedded.socket_path().with_suffix(".pid").write_text(f"{stranger.pid}\n")
    embedded.reap(embedded.socket_path())
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.fixture
def deep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / ("deep" * 20)
    folder.mkdir()
    monkeypatch.delenv("REDIS_URL", raising=False)
    with tempfile.TemporaryDirectory(prefix="cb-") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        monkeypatch.setenv("TMPDIR", short)  # for the supervisor
        yield from at(folder, monkeypatch)


def test_a_path_too_long_for_a_socket_gives_a_short_one_in_a_private_folder(deep, supervise):
    socket = embedded.socket_path()
    assert len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert embedded.socket_path() == socket, "the same one the next time"
    supervise()
    assert redis.Redis.from_url(settings().bell_url).ping(), "and every process finds it"


def test_a_short_folder_that_others_can_open_is_refused(deep):
    folder = embedded.socket_path().parent
    folder.chmod(0o755)
    with pytest.raises(NotStarted, match="not a private folder of yours"):
        embedded.socket_path()
    folder.chmod(0o700)


def test_no_short_folder_anywhere_is_said_in_a_sentence(deep, monkeypatch):
    with monkeypatch.context() as here:
        here.setattr("tempfile.tempdir", str(deep))
        with pytest.raises(NotStarted, match="Choose a shorter VAR_DIR"):
            embedded.socket_path()
