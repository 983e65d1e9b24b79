"""What limited the last claim of this process that looked: from it the next knows how to begin."""

# The open queues that have a limit. An ending there makes room for what is in line already, and nobody else would ring
known: frozenset[str] = frozenset()
keys = False  # it took tasks with concurrency keys


def forget() -> None:
    """Claim as a process that has just begun: for tests."""
    global known, keys
    known, keys = frozenset(), False
