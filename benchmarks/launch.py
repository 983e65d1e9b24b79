"""Starts one measure of one contender in a process of its own, with the contender's own Python."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.environment import ROOT

LONGEST_S = 400


def one(contender: Contender, measure: str, sizes: dict[str, Any], environ: dict[str, str]) -> dict[str, Any] | None:
    """The figures, None where the contender cannot do that; what went wrong is a figure, too."""
    command = [contender.python, "-m", "benchmarks.one", contender.module, measure, json.dumps(sizes)]
    with subprocess.Popen(
        command, env=environ, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            said, complained = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            return {"failed": f"not done after {LONGEST_S} s"}
        finally:  # nothing that it started may disturb the next
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return json.loads(said.splitlines()[-1]) if process.returncode == 0 else {"failed": complained.strip()[-3_000:]}
