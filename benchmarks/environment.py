"""The peers' virtual environment: made from `benchmarks/peers/requirements.txt`, and again when that changes."""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "benchmarks" / "peers" / "requirements.txt"
FOLDER = ROOT / "var" / "bench" / "peers"


def peers_python() -> str:
    """The Python that has the peers, apart from the project's own; made at the first call (some minutes)."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Installing the peers into {FOLDER.relative_to(ROOT)} …", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return str(python)


def versions(python: str) -> dict[str, str]:
    """What is installed there, by name."""
    code = "import importlib.metadata as m; print(*sorted(f'{d.name}=={d.version}' for d in m.distributions()))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return dict(line.split("==", 1) for line in done.stdout.split())
