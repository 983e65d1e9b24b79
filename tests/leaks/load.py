"""Work at an even pace, so that whatever grows grows by itself; and an operator who looks at page after page."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from models import Role
from services import operators, sessions, tasks
from services.errors import ServiceError
from tests.leaks import kinds
from tests.services import kit

EVERY_S = 0.1  # a task
MOST_WAITING = 200
LOOK_EVERY_S = 2.0
FEWEST = 5  # elements of a page


class Steady(threading.Thread):
    """Something done again and again until told to stop; its errors are kept."""

    def __init__(self, name: str, act: Callable[[], None], every_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self.errors: list[str] = []
        self.done = 0
        self._act, self._every_s = act, every_s
        self._over = threading.Event()

    def run(self) -> None:
        """Once every so many seconds, or as fast as it goes."""
        while not self._over.wait(self._every_s):
            try:
                self._act()
                self.done += 1
            except Exception as error:
                self.errors.append(f"{self.name}: {type(error).__name__}: {error}"[:300])

    def stop(self) -> None:
        """No more."""
        self._over.set()
        self.join(60)


class Work:
    """One task of some kind at each call, one in ten of them cancelled soon after."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._made: list[int] = []

    def __call__(self) -> None:
        """Enqueue one, unless too many wait."""
        chance = self._chance
        if chance.random() < 0.1 and kit.count("finished_at IS NULL") > MOST_WAITING:
            time.sleep(1)
            return
        kind, arguments = chance.choice(
            [
                (kinds.quick, {"n": 1}), (kinds.quick, {"n": 2}), (kinds.quick, {}), (kinds.busy, {"seconds": 0.3}),
                (kinds.shaky, {"fails": 1}), (kinds.shaky, {"fails": 9}), (kinds.hopeless, {}),
                (kinds.alone, {"seconds": 0.05}), (kinds.fruitful, {}), (kinds.filing, {}),
            ]
        )  # fmt: skip
        needs = self._made[-1:] if chance.random() < 0.1 else []
        self._made = [*self._made[-50:], kind.with_options(needs=needs).enqueue(**arguments).id]
        if chance.random() < 0.1:
            with suppress(ServiceError):
                tasks.cancel(chance.choice(self._made), reason="not wanted after all")


class Looks:
    """An operator's browser: one page after another over one websocket, and the figures for monitoring."""

    PAGES = ("", "tasks", "run", "workers", "errors", "schedules", "inbox")

    def __init__(self, base: str) -> None:
        self._base, self._n = base, 0
        operator = operators.create("leila", Role.operator)
        self._http = requests.Session()
        self._http.trust_env = False
        answer = self._http.get(f"{base}/sign-in", params={"link": sessions.link(operator.id)}, timeout=30)
        answer.raise_for_status()

    def __call__(self) -> None:
        """Run a page in a session of its own, wait until it is drawn, and leave; then ask two routes."""
        self._n += 1
        cookie = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        headers = {"cookie": cookie, "origin": self._base}
        where = self._base.replace("http", "ws", 1) + "/_stcore/stream"
        with connect(where, additional_headers=headers, proxy=None, max_size=None) as socket:
            ask = BackMsg()
            ask.rerun_script.page_name = page = self.PAGES[self._n % len(self.PAGES)]
            socket.send(ask.SerializeToString())
            drawn = 0
            while (told := ForwardMsg.FromString(socket.recv(timeout=30.0))).WhichOneof("type") != "script_finished":
                drawn += told.HasField("delta")
                if told.delta.new_element.HasField("exception"):
                    raise RuntimeError(f"/{page} broke: {told.delta.new_element.exception.message}")
            if drawn < FEWEST:
                raise RuntimeError(f"/{page} shows next to nothing")
        for path in ("/api/health", "/api/tasks.jsonl?status=Failed"):
            self._http.get(self._base + path, timeout=30).raise_for_status()
