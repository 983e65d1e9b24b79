"""The Procfile's `worker` line: worker processes under a supervisor, which replaces each that dies and says who died.

`python -m runtime.worker [--processes N] [--threads N] [--queues a,b]`; what is not given comes from the settings.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from runtime.program import Program, signal_name
from runtime.supervisor import Supervisor
from services import log
from settings import settings

HAND_BACK_S = 6.5  # what a worker process may take, beyond its tasks' grace, to hand them back and to write it down


def programs(
    processes: int, env: Mapping[str, str] | None = None, log_folder: Path | None = None, stage: int = 0
) -> list[Program]:
    """That many worker processes, as programs for a supervisor."""
    return [
        Program(
            name=(name := f"worker.{number}"),
            argv=[sys.executable, "-m", "runtime.worker_process"],
            env=env or {},
            stop_s=settings().stop_grace_s + HAND_BACK_S,
            stage=stage,
            log=log_folder / f"{name}.log" if log_folder else None,
        )
        for number in range(1, processes + 1)
    ]


def report_death(program: Program, pid: int, code: int) -> None:
    """Tell the ledger at once that this process is dead, so that nobody waits for its leases to run out."""
    from services import workers  # late: a supervisor needs no database while all is well

    how = f"was ended by {signal_name(-code)}" if code < 0 else f"ended with code {code}"
    workers.report_death(pid, f"its process ({program.name}) {how}")


def main() -> int:
    """Supervise until asked to stop; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m runtime.worker", description="Runs worker processes and replaces each that dies."
    )
    default, threads = settings().worker_processes, settings().worker_threads
    parser.add_argument("--processes", metavar="N", type=_count, default=default, help=f"default: {default}")
    parser.add_argument("--threads", metavar="N", type=_count, help=f"tasks a process runs at once; default: {threads}")
    parser.add_argument("--queues", metavar="A,B", help="queues served; default: WORKER_QUEUES, else all")
    given = parser.parse_args()
    log.configure("supervisor")

    env = {"WORKER_THREADS": given.threads and str(given.threads), "WORKER_QUEUES": given.queues}
    passed_on = {name: value for name, value in env.items() if value is not None}
    return Supervisor(programs(given.processes, passed_on), on_death=report_death).run()


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 256")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
