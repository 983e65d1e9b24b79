"""A browser's side of Streamlit's websocket, without the browser: opens a page, and lets its live parts tick."""

import asyncio
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_S = 120


@dataclass
class Tab:
    """One open page."""

    base: str
    cookie: str
    page: str = ""
    query: str = ""
    socket: ClientConnection | None = None
    script: str = ""
    fragments: dict[str, float] = field(default_factory=dict)  # the live parts' ids, with their intervals in seconds
    messages: int = 0
    bytes: int = 0
    broken: str | None = None

    async def open(self) -> "Tab":
        """Connect, and run the page once."""
        where = self.base.replace("http", "ws", 1) + "/_stcore/stream"
        self.socket = await connect(
            where, additional_headers={"cookie": self.cookie}, subprotocols=[Subprotocol("streamlit")],
            origin=Origin(self.base), max_size=None, proxy=None,
        )  # fmt: skip
        await self.run()
        return self

    async def run(self) -> None:
        """The whole page once more."""
        self.fragments.clear()
        await self._rerun("")

    async def tick(self) -> None:
        """Each live part once."""
        for fragment in list(self.fragments):
            await self._rerun(fragment)

    async def close(self) -> None:
        """Leave."""
        if self.socket is not None:
            await self.socket.close()

    async def _rerun(self, fragment: str) -> None:
        assert self.socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_name = self.query, self.page
        state.page_script_hash, state.fragment_id = self.script, fragment
        state.is_auto_rerun = bool(fragment)
        state.context_info.timezone = "Europe/London"
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_S):
            while True:
                data = await self.socket.recv()
                self.messages, self.bytes = self.messages + 1, self.bytes + len(data)
                if self._heard(ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())):
                    return

    def _heard(self, message: ForwardMsg) -> bool:
        kind = message.WhichOneof("type")
        if kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self.fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_not_found":
            self.broken = f"there is no page {self.page!r}"
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            self.broken = message.delta.new_element.exception.message
        return kind == "script_finished"
