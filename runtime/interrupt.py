"""An exception raised into Python code that never checks: only inside a body, never in a transaction.

CPython delivers it at some later bytecode of that thread. Without the lock and the withdrawal on leaving, some would
arrive after the body has ended, in code that is not the body's.
"""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from models import db
from runtime.errors import Interrupted

_set_async_exc = ctypes.pythonapi.PyThreadState_SetAsyncExc
_here = threading.local()


class Gate:
    """Stands between one thread's body and whoever wants to interrupt it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = ctypes.c_ulong(threading.get_ident())
        self._inside = False
        self._shielded = 0
        self.fired = False

    def __enter__(self) -> "Gate":
        with self._lock:
            self._inside = True
        _here.gate = self
        return self

    def __exit__(self, *_: object) -> None:
        while True:
            try:
                with self._lock:
                    self._inside = False
                    if self.fired:
                        _set_async_exc(self._thread, None)  # what was not delivered yet, never is
                _here.gate = None
                return
            except Interrupted:  # delivered just here: leaving goes on
                continue

    def fire(self, error: type[Interrupted]) -> bool:
        """Raise into the body; False where it has left, is in a transaction, or was fired at already."""
        with self._lock:
            if not self._inside or self._shielded or self.fired:
                return False
            self.fired = _set_async_exc(self._thread, ctypes.py_object(error)) == 1
            return self.fired

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Nothing is raised into what happens here."""
        with self._lock:
            self._shielded += 1
        try:
            yield
        finally:
            with self._lock:
                self._shielded -= 1


def _shield() -> AbstractContextManager[Any]:
    gate = getattr(_here, "gate", None)
    return nullcontext() if gate is None else gate.shielded()


def protect_transactions() -> None:
    """From now on no body of this process is interrupted inside `transaction()`."""
    db.shield = _shield
