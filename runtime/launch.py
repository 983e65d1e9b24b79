"""Turns into a program that dies with its supervisor: `launch.py <supervisor> <program> [argument …]`.

Without it, `kill -9` of a supervisor leaves its children working on, seen and stopped by nobody. It is a
script of its own, with the standard library alone, because the kernel's promise (PR_SET_PDEATHSIG) must be
asked for in the child, and code between fork and exec is not safe once the supervisor has threads. Only
Linux makes this promise.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # from <sys/prctl.h>


def main(argv: list[str]) -> None:
    """Ask to be killed with the supervisor, then become the program; exits 127 where it cannot be started."""
    supervisor, command = int(argv[1]), argv[2:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"{command[0]} was not started: prctl failed ({os.strerror(ctypes.get_errno())}).")
    if os.getppid() != supervisor:
        sys.exit(f"{command[0]} was not started: its supervisor, process {supervisor}, has died.")
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}.", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv)
