"""How long bodies of each type take here, as far as it matters for how many to claim at once."""

SOON_S = 0.05  # what is claimed beyond the threads will start within this time
MOST = 512  # tasks a process claims and does not yet run
UNKNOWN_S = 1.0


class Pace:
    """A quick upper estimate of run time per type: rises at once, falls slowly (about a p95).

    Without a lock: where two threads note at once one of them may be passed over, which no estimate minds.
    """

    def __init__(self) -> None:
        self._slow_s: dict[str, float] = {}

    def ran(self, type_name: str, seconds: float) -> None:
        """Note one body's time."""
        known = self._slow_s.get(type_name)
        if known is None:
            self._slow_s[type_name] = seconds
        else:
            self._slow_s[type_name] = known + (seconds - known) * (0.3 if seconds > known else 0.02)

    def slower(self, type_name: str, seconds: float) -> None:
        """A body of this type takes at least so long: it is still running."""
        self._slow_s[type_name] = max(seconds, self._slow_s.get(type_name, 0.0))

    def room(self, threads: int, types: set[str]) -> int:
        """How many tasks of these types to hold at once: one a thread, and what threads will soon be free for."""
        slowest = max((self._slow_s.get(t, UNKNOWN_S) for t in types), default=UNKNOWN_S)
        return threads + min(int(threads * SOON_S / max(slowest, 0.0002)), MOST)
