"""Which open queues have a limit, as the last claim of this process saw it.

An ending there makes room for a task that is in line already, of which nobody else would ring.
"""

known: frozenset[str] = frozenset()
