"""Which attempts a process has started, in a small memory-mapped file that outlives it.

A body that kills its process at once leaves no time to tell the ledger that it had started. The marks tell it, so that
a task that kills its workers is counted each time, and its neighbours that were only claimed are not.
"""

import mmap
import struct
from pathlib import Path

from settings import settings

SLOT = struct.Struct("<qq")  # task id, epoch; (0, 0) is free


def path_of(worker: str) -> Path:
    """The worker's file."""
    return settings().var_dir / "marks" / f"{worker}.marks"


class Marks:
    """One slot a worker thread."""

    def __init__(self, worker: str, threads: int) -> None:
        self._path = path_of(worker)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = SLOT.size * threads
        with self._path.open("w+b") as file:
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)
        self._free = list(range(threads))

    def set(self, task_id: int, epoch: int) -> int:
        """Note that the body is about to start; returns the slot to clear."""
        slot = self._free.pop()
        SLOT.pack_into(self._map, slot * SLOT.size, task_id, epoch)
        return slot

    def clear(self, slot: int) -> None:
        """The body has left."""
        SLOT.pack_into(self._map, slot * SLOT.size, 0, 0)
        self._free.append(slot)

    def remove(self) -> None:
        """The process ends in good order."""
        self._path.unlink(missing_ok=True)


def take(worker: str) -> set[tuple[int, int]] | None:
    """The (id, epoch) a dead worker had started, and the file's end; None where there is no file on this machine."""
    path = path_of(worker)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    path.unlink(missing_ok=True)
    whole = len(content) - len(content) % SLOT.size
    return {pair for pair in SLOT.iter_unpack(content[:whole]) if pair != (0, 0)}
