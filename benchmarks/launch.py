"""Starts one measure of one contender in a process of its own, with the contender's own Python."""

import json
import subprocess
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.environment import ROOT

LONGEST_S = 400


def one(contender: Contender, measure: str, sizes: dict[str, Any], environ: dict[str, str]) -> dict[str, Any] | None:
    """The figures, None where the contender cannot do that; what went wrong is a figure, too."""
    command = [contender.python, "-m", "benchmarks.one", contender.module, measure, json.dumps(sizes)]
    try:
        done = subprocess.run(
            command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_S, check=True
        )  # fmt: skip
        return json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {LONGEST_S} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": error.stderr.strip()[-1_500:]}
