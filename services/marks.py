"""Which attempts a process has started, in a small memory-mapped file that outlives it.

A body that kills its process at once, or by what it left behind, leaves no time to tell the ledger that it had started.
The marks tell it until its ending is committed, so that a task that kills its workers is counted each time, and its
neighbours that were only claimed are not.
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
    """One slot an attempt; where all are taken, one goes without: its loss would not be counted."""

    def __init__(self, worker: str, slots: int) -> None:
        self._path = path_of(worker)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        size = SLOT.size * slots
        with self._path.open("w+b") as file:
            file.write(bytes(size))  # a hole that cannot be filled on a full disk would end the process by a signal
            file.flush()
            self._map = mmap.mmap(file.fileno(), size)
        self._free = list(reversed(range(slots)))
        self._taken: dict[tuple[int, int], int] = {}

    def set(self, task_id: int, epoch: int) -> None:
        """Note that the body is about to start."""
        try:
            slot = self._free.pop()
        except IndexError:
            return
        self._taken[task_id, epoch] = slot
        SLOT.pack_into(self._map, slot * SLOT.size, task_id, epoch)

    def clear(self, task_id: int, epoch: int) -> None:
        """The ledger knows how the attempt ended."""
        slot = self._taken.pop((task_id, epoch), None)
        if slot is not None:
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
