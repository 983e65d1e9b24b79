"""A check of the ledger in the background of this process, for pages: how far it is, what it found, its repairs.

One at a time, whoever asked for it. It lives as long as the process; what it repaired stays, whatever happens.
"""

import contextvars
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum, unique

import structlog

from models import Role, now
from models.db import is_away
from services import audit
from services.doctor.check import Result
from services.doctor.examine import CHECKS, examine
from services.doctor.repair import repair_all
from services.errors import Conflict, ServiceError

log = structlog.get_logger(__name__)


@unique
class State(StrEnum):
    """Where a check-up stands."""

    looking = "looking"
    repairing = "repairing"
    done = "done"
    failed = "failed"  # refused, or could not be carried out; `sentence` says why


class Checkup:
    """One look at the whole ledger, and the repairs after it."""

    def __init__(self, patience: float) -> None:
        self.by = audit.current().id or audit.current().kind
        self.began_at: datetime = now()
        self.ended_at: datetime | None = None
        self.state = State.looking
        self.sentence: str | None = None
        self.looked = 0  # rules that were asked about
        self.again_at: float | None = None  # monotonic: when what may have been on its way is looked at once more
        self.results: list[Result] = []
        self.repaired: Counter[str] = Counter()  # by the rule
        self._patience = patience
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether it is at work."""
        return self.state in (State.looking, State.repairing)

    @property
    def of(self) -> int:
        """How many rules there are."""
        return len(CHECKS)

    @property
    def broken(self) -> list[Result]:
        """What it found."""
        return [result for result in self.results if result.findings]

    @property
    def mendable(self) -> list[Result]:
        """What of it can be worked out again from what is there."""
        return [result for result in self.broken if result.check.mend is not None]

    @property
    def again_in_s(self) -> float | None:
        """Seconds until the second look; None where none is waited for."""
        return None if self.again_at is None else max(0.0, self.again_at - time.monotonic())

    def wait(self, timeout: float) -> bool:
        """Wait at most so many seconds until it is not at work. Returns whether it is not."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.busy

    def start(self, state: State, work: Callable[[], None]) -> None:
        """Do this in a thread of its own, as who acts now."""
        self.state, self.sentence, self.ended_at = state, None, None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._guarded, work), daemon=True, name="checkup")
        self._thread.start()

    def look(self) -> None:
        """Ask about every rule."""
        self.results = examine(self._told, self._waiting, self._patience)

    def mend(self) -> None:
        """Look anew, repair what is safe, and look again."""
        self.results = repair_all(self._mended, self._patience)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
            self.state = State.done
        except ServiceError as refusal:
            self.sentence, self.state = str(refusal), State.failed
        except Exception as error:
            if is_away(error):
                self.sentence = "The database could not be reached, or was busy for too long. Try again."
            else:
                log.exception("the ledger could not be checked")
                self.sentence = f"It broke ({type(error).__name__}); the log has the details."
            self.state = State.failed
        finally:
            self.again_at, self.ended_at = None, now()

    def _told(self, _: Result) -> None:
        self.looked = min(self.looked + 1, self.of)

    def _waiting(self, seconds: float) -> None:
        self.again_at = time.monotonic() + seconds

    def _mended(self, result: Result, many: int) -> None:
        self.repaired[result.check.rule] += many


_latest: list[Checkup] = []
_lock = threading.Lock()


def latest() -> Checkup | None:
    """The last check-up of this process, which may be at work. Takes the role operator."""
    audit.require(Role.operator)
    return _latest[0] if _latest else None


def begin(patience: float = 1.0) -> Checkup:
    """Begin to look, or join who looks already. Takes the role operator; nothing is locked or written."""
    audit.require(Role.operator)
    with _lock:
        if not _latest or not _latest[0].busy:
            _latest[:] = [Checkup(patience)]
            _latest[0].start(State.looking, _latest[0].look)
        return _latest[0]


def repair(checkup: Checkup) -> None:
    """Repair what a check-up found and is safe to repair, each an event. Takes the role admin. Raises `Conflict`."""
    audit.require(Role.admin)
    with _lock:
        if not _latest or _latest[0] is not checkup:
            raise Conflict("somebody has checked the ledger meanwhile; look at what was found now")
        if checkup.state is State.done and checkup.mendable:
            checkup.start(State.repairing, checkup.mend)


def forget() -> None:
    """No check-up was ever made: for tests."""
    _latest.clear()
