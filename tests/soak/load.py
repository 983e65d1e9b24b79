"""Random work: singles, crowds, chains, fans, keys, retries; and persons who cancel, rerun and let go."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError

from models import now, transaction
from services import schedules, tasks
from services.errors import ServiceError
from tests.services import kit
from tests.soak import kinds

MOST_WAITING = 300  # tasks that have not ended: beyond it the load pauses
PAUSE_S = (0.02, 0.25)


class Load(threading.Thread):
    """Enqueues until told to stop. What `enqueue` has returned is accepted, and must be there ever after."""

    def __init__(self, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.accepted: list[int] = []
        self.acts: Counter[str] = Counter()
        self.away = 0  # acts that the database was not there for
        self.errors: list[str] = []
        self._chance = random.Random(seed)
        self._over = threading.Event()

    def stop(self) -> None:
        """No more."""
        self._over.set()
        self.join(60)

    def run(self) -> None:
        """One act after another."""
        self._try(self._schedules)
        acts: dict[Callable[[], Any], int] = {
            self._single: 8, self._crowd: 3, self._chain: 4, self._fan: 4, self._keyed: 3, self._unique: 2,
            self._later: 2, self._cancel: 4, self._rerun: 3, self._reprioritise: 1, self._let_go: 2,
        }  # fmt: skip
        while not self._over.wait(self._chance.uniform(*PAUSE_S)):
            (act,) = self._chance.choices(list(acts), list(acts.values()))
            self._try(act)
            self._wait_for_room()

    def _try(self, act: Callable[[], Any]) -> None:
        """Do it; be refused; or find that the database is away, and not know whether it was done."""
        try:
            made = act()
        except ServiceError:
            self.acts["refused"] += 1
        except DBAPIError:
            self.away += 1
        except Exception as error:
            self.errors.append(f"{act.__name__}: {type(error).__name__}: {error}"[:500])
        else:
            self.acts[act.__name__.strip("_")] += 1
            self.accepted += made or []

    def _wait_for_room(self) -> None:
        while not self._over.is_set():
            try:
                if kit.count("finished_at IS NULL") <= MOST_WAITING:
                    return
            except DBAPIError:
                self.away += 1
            time.sleep(0.2)

    def _body(self) -> tuple[Any, dict[str, Any]]:
        chance = self._chance
        return chance.choice(
            [
                (kinds.quick, {"n": chance.randrange(100)}), (kinds.quick, {}), (kinds.quick, {}),
                (kinds.busy, {"seconds": chance.uniform(0.05, 1.5)}),
                (kinds.deaf, {"seconds": chance.uniform(0.1, 1.0)}),
                (kinds.shaky, {"fails": chance.randrange(1, 5)}), (kinds.hopeless, {}),
                (kinds.alone, {"seconds": chance.uniform(0, 0.3)}), (kinds.fruitful, {}),
            ]
        )  # fmt: skip

    def _enqueue(self, **options: Any) -> int:
        kind, arguments = self._body()
        options.setdefault("priority", self._chance.randrange(1, 101))
        return kind.with_options(**options).enqueue(**arguments).id

    def _single(self) -> list[int]:
        return [self._enqueue()]

    def _crowd(self) -> list[int]:
        return kinds.quick.enqueue_many([{"n": n} for n in range(self._chance.randrange(5, 40))])

    def _chain(self) -> list[int]:
        with transaction():
            made = [self._enqueue()]
            for _ in range(self._chance.randrange(1, 5)):
                made.append(self._enqueue(needs=[made[-1]], on_parent_failure=self._policy()))
        return made

    def _fan(self) -> list[int]:
        """Out to many, and in again."""
        with transaction():
            root = self._enqueue()
            many = [self._enqueue(needs=[root]) for _ in range(self._chance.randrange(2, 8))]
            return [root, *many, self._enqueue(needs=many, on_parent_failure=self._policy())]

    def _policy(self) -> str:
        return self._chance.choice(["cancel", "run_anyway", "hold"])

    def _keyed(self) -> list[int]:
        key = self._chance.choice("abc")
        return [self._enqueue(concurrency_key=key, max_running="abc".index(key) + 1) for _ in range(3)]

    def _unique(self) -> list[int]:
        arguments = {"seconds": 0.3}
        return [kinds.busy.with_options(unique_key=self._chance.choice("xyz")).enqueue(**arguments).id]

    def _later(self) -> list[int]:
        run_at = now() + timedelta(seconds=self._chance.uniform(0, 5))
        return [self._enqueue(run_at=run_at, expires_at=run_at + timedelta(seconds=self._chance.uniform(1, 30)))]

    def _one(self) -> int:
        return self._chance.choice(self.accepted[-100:] or [1])

    def _cancel(self) -> None:
        tasks.cancel(self._one(), reason="the soak")

    def _rerun(self) -> None:
        tasks.rerun(self._one(), dependents=self._chance.random() < 0.5)

    def _reprioritise(self) -> None:
        tasks.reprioritise(self._one(), self._chance.randrange(1, 101))

    def _let_go(self) -> None:
        release_held()

    def _schedules(self) -> None:
        for overlap in ("skip", "queue_one", "cancel_previous", "allow"):
            schedules.create(f"every minute, {overlap}", kinds.tick, cron="* * * * *", overlap=overlap)


def release_held() -> int:
    """Let go of what is held because something that it needs has failed."""
    held = kit.scalar("SELECT min(id) FROM tasks WHERE status = 'pending' AND held_reason IS NOT NULL")
    if held is not None:
        tasks.release(held)
    return held or 0
