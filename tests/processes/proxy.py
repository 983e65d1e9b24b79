"""A network between workers and PostgreSQL that can be broken: passes, holds everything, resets, loses answers."""

import socket
import struct
import threading
from contextlib import suppress

from sqlalchemy import make_url

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close without a farewell


class Proxy:
    """Listens on TCP, and passes to the Unix socket of a server."""

    def __init__(self, url: str) -> None:
        """`url`: of the database, on a Unix socket."""
        direct = make_url(url)
        self._target = f"{direct.query['host']}/.s.PGSQL.{direct.query.get('port', direct.port or 5432)}"
        self._door = socket.create_server(("127.0.0.1", 0))
        proxied = direct.set(host="127.0.0.1", port=self._door.getsockname()[1], query={})
        self.url = proxied.render_as_string(hide_password=False)
        self.lost = 0  # answers that did not arrive
        self._to_lose = 0  # answers to commits
        self._answers_to_lose, self._holding = 0, b""
        self._open = threading.Event()  # clear: whatever is sent stays on the way
        self._open.set()
        self._lock = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._welcome, name="proxy", daemon=True).start()

    def reset(self) -> int:
        """Break every connection; returns how many."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            self._break(pair)
        return len(pairs)

    def hold(self) -> None:
        """Let nothing through any more, and say nothing: a black hole."""
        self._open.clear()

    def lose_commits(self, many: int) -> None:
        """The next commits are carried out, and their connections break before the answer."""
        with self._lock:
            self._to_lose += many

    def lose_answers(self, many: int, holding: bytes) -> None:
        """The next answers that hold this do not arrive, and their connections break."""
        with self._lock:
            self._answers_to_lose, self._holding = many, holding

    def close(self) -> None:
        """Break everything, for good."""
        self._door.close()
        self._open.set()
        self.reset()

    def _welcome(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                pair = (client, server)
                with self._lock:
                    self._pairs.add(pair)
                _Connection(self, pair).start()

    def loses(self, said: bytes) -> bool:
        """Whether what a client says is a commit that is to be lost."""
        with self._lock:
            if not self._to_lose or b"COMMIT\0" not in said:
                return False
            self._to_lose -= 1
            return True

    def loses_answer(self, said: bytes) -> bool:
        """Whether what the server says is an answer that is to be lost."""
        with self._lock:
            if not self._answers_to_lose or self._holding not in said:
                return False
            self._answers_to_lose -= 1
            return True

    def lose(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """The answer has come, and goes no farther."""
        self._break(pair)
        with self._lock:
            self.lost += 1

    def pass_on(self, data: bytes, to: socket.socket) -> None:
        """Send, once the way is open."""
        self._open.wait()
        to.sendall(data)

    def _break(self, pair: tuple[socket.socket, socket.socket]) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            with suppress(OSError):
                if end.family is socket.AF_INET:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
            end.close()


class _Connection:
    """One client's: a thread each way."""

    def __init__(self, proxy: Proxy, pair: tuple[socket.socket, socket.socket]) -> None:
        self._proxy, self._pair = proxy, pair
        self._loses = False

    def start(self) -> None:
        for there in (False, True):
            threading.Thread(target=self._pump, args=(there,), daemon=True).start()

    def _pump(self, to_server: bool) -> None:
        client, server = self._pair
        source, target = (client, server) if to_server else (server, client)
        with suppress(OSError):
            while data := source.recv(65_536):
                if to_server and self._proxy.loses(data):
                    self._loses = True
                elif not to_server and (self._loses or self._proxy.loses_answer(data)):
                    self._proxy.lose(self._pair)
                    return
                self._proxy.pass_on(data, target)
        self._proxy._break(self._pair)
