"""The one installation that may run in a `VAR_DIR`: its folder, its lock, its port."""

import fcntl
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime import web
from runtime.program import NotStarted
from settings import settings

LOCK_TRIES = 5  # `running` holds the lock for a moment: a start must not take that for another instance


def running() -> bool:
    """Whether an installation runs in this `VAR_DIR`, started by `make start`."""
    try:
        with lock_file().open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def hold() -> Iterator[None]:
    """Be the one that runs here, with a private folder and new files private. Raises `NotStarted`."""
    os.umask(0o077)
    _prepare_folder(settings().var_dir)
    with lock_file().open("a+") as file:
        for attempt in range(LOCK_TRIES):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if attempt == LOCK_TRIES - 1:
                    raise NotStarted(_already(lock_file().read_text())) from None
                time.sleep(0.02)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": web.url()}))
        file.flush()
        yield


def check_port() -> None:
    """Raises `NotStarted` where the console could not listen."""
    host, port = settings().host, settings().port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
            probe.bind((host, port))
    except PermissionError:
        raise NotStarted(f"Port {port} is reserved; choose one from 1024 on, as in `PORT=8501 make start`.") from None
    except socket.gaierror as error:
        raise NotStarted(f"HOST={host} is not an address of this machine ({error.strerror}).") from None
    except OSError as error:
        raise NotStarted(
            f"The console cannot listen on {host}:{port} ({error.strerror}): another program has it. "
            f"Stop that one, or choose another port: `PORT={_free_port(family, host)} make start`."
        ) from None


def lock_file() -> Path:
    """Locked while an installation runs; says which."""
    return settings().var_dir / "start.lock"


def _prepare_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "log").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise NotStarted(f"VAR_DIR={folder} cannot be used: {error.strerror}.") from None
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotStarted(f"VAR_DIR={folder} can be written to by others: `chmod 700` it, or choose another folder.")


def _already(said: str) -> str:
    try:
        about = json.loads(said)
    except ValueError:
        return "Callboard runs here already."
    return (
        f"Callboard runs here already: {about['url']} (process {about['pid']}). Stop it with Ctrl-C where it was "
        f"started, or with `kill {about['pid']}`; a second one needs a VAR_DIR and a PORT of its own."
    )


def _free_port(family: int, host: str) -> int:
    """The next free port, else any."""
    for port in (*range(settings().port + 1, min(settings().port + 50, 65536)), 0):
        try:
            with socket.socket(family) as probe:
                probe.bind((host, port))
                return probe.getsockname()[1]
        except OSError:
            continue
    return 8501
