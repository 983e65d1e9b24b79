"""The console's web process as it is, with a clock on every script run: a JSON line each into CONSOLE_PROBE.

`python -m benchmarks.console_probe run console/asgi.py …` takes the arguments of `streamlit`.
"""

import json
import os
import sys
import time
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web import cli

PATH = os.environ["CONSOLE_PROBE"]


def clocked() -> None:
    """Note of each run its thread's CPU time and its wall time, in milliseconds, and whether it was a fragment's."""
    run = ScriptRunner._run_script

    def run_and_note(self: Any, rerun_data: Any) -> None:
        cpu, wall = time.thread_time(), time.monotonic()
        run(self, rerun_data)
        noted = {
            "page": rerun_data.page_name, "fragment": bool(rerun_data.fragment_id_queue),
            "cpu_ms": (time.thread_time() - cpu) * 1e3, "wall_ms": (time.monotonic() - wall) * 1e3,
        }  # fmt: skip
        with open(PATH, "a") as file:  # noqa: PTH123
            file.write(json.dumps(noted) + "\n")

    ScriptRunner._run_script = run_and_note  # type: ignore[method-assign]


if __name__ == "__main__":
    clocked()
    sys.argv[0] = "streamlit"
    cli.main()
