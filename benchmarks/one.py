"""One measure, in the contender's own Python: `python -m benchmarks.one PEER MEASURE '{"many": 1000}'`.

The environment says what to connect to (see `benchmarks.contenders`); the figures are the last line printed, as JSON.
"""

import json
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Prepare the peer, measure, print."""
    name, measure, sizes = sys.argv[1:4]
    peer: Any = import_module(f"benchmarks.peers.{name}")
    peer.prepare()
    print(json.dumps(import_module(f"benchmarks.measures.{measure}").measure(peer, **json.loads(sizes))))


if __name__ == "__main__":
    main()
