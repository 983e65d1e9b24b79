"""The console's process: how it is started, for the supervisor and for the Procfile's `web` line."""

import os
import sys
from ipaddress import ip_address
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from runtime.program import NotStarted, Program
from services import address, operators
from settings import ROOT, settings

ENTRY = "console/asgi.py"


def program(log: Path | None = None, stage: int = 0) -> Program:
    """The console as a program for a supervisor."""
    return Program("web", argv(), stage=stage, log=log)


def argv() -> list[str]:
    """The command line. All else is in `.streamlit/config.toml`, which is read because the work is done in `ROOT`."""
    where = ["--server.address", settings().host, "--server.port", str(settings().port)]
    return [sys.executable, "-m", "streamlit", "run", ENTRY, *where]


def url() -> str:
    """Where a browser on this machine finds the console."""
    return address.console()


def check_doors(host: str | None = None) -> None:
    """Raise `NotStarted` where other machines would reach a console that nobody can sign in to by password.

    `host` is what it will listen on, the setting's where that is not said; empty: every address.
    """
    host = settings().host if host is None else host
    if _is_loopback(host):
        return
    remedy = (
        "Give an admin one with `python -m console.accounts add NAME --role admin` (or `password NAME`), "
        "or set HOST=127.0.0.1."
    )
    try:
        safe = operators.can_sign_in_by_password()
    except SQLAlchemyError as error:
        raise NotStarted(
            f"HOST={host} opens the console to other machines, and the database cannot say whether anybody has a "
            f"password ({type(error).__name__}). Bring it up, and to the schema with `make migrate`."
        ) from None
    if not safe:
        raise NotStarted(
            f"HOST={host} opens the console to other machines, but no active operator has a password. {remedy}"
        )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name, which may come to mean any address
        return False


def main() -> int:
    """Become the console; 1 with a sentence where it may not be started."""
    os.chdir(ROOT)
    try:
        check_doors()
    except NotStarted as refusal:
        print(refusal, file=sys.stderr)
        return 1
    os.execv(sys.executable, argv())  # noqa: S606
    return 0


if __name__ == "__main__":
    sys.exit(main())
