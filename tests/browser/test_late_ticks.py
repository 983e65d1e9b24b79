"""A tick that was on its way when a person went on to another page, told by messages of one's own."""

import asyncio
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.console_client import PATIENCE_S, Tab
from models import Role
from services import operators
from tests.browser.test_forged_clicks import cookie_of


@dataclass
class Hasty(Tab):
    """A tab that goes on to another page while its live parts tick."""

    drawn: list[str] = field(default_factory=list)  # the pages in whose names something was drawn

    async def go(self, page: str) -> None:
        """Click, and let all parts tick before the answer is there."""
        left, parts = self.script, list(self.fragments)
        await self._say(page=page)
        for part in parts:
            await self._say(script=left, part=part)
        await self._hear(ForwardMsg.FINISHED_SUCCESSFULLY)

    async def tick_of(self, part: str) -> None:
        """A part of the page that is shown, until it is drawn."""
        await self._say(script=self.script, part=part)
        await self._hear(ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)

    async def _say(self, page: str = "", script: str = "", part: str = "") -> None:
        assert self.socket is not None
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.page_script_hash, state.fragment_id = page, script, part
        state.is_auto_rerun = bool(part)
        state.context_info.timezone = "Europe/London"
        await self.socket.send(message.SerializeToString())

    async def _hear(self, end: int) -> None:
        assert self.socket is not None
        async with asyncio.timeout(PATIENCE_S):
            while True:
                data = await self.socket.recv()
                message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
                if self._heard(message) and message.script_finished == end:
                    return

    def _heard(self, message: ForwardMsg) -> bool:
        if message.WhichOneof("type") == "new_session":
            self.drawn.append(message.new_session.page_script_hash)
        return super()._heard(message)


def test_a_tick_of_the_page_that_was_left_does_not_empty_the_one_that_is_shown(console):
    """The browser takes what is drawn in another page's name for a change of pages, and throws away what it shows."""

    olga = operators.create("olga", Role.operator)

    async def walk() -> Hasty:
        tab = Hasty(console, cookie_of(console, olga))
        await tab.open()
        strip, left = next(iter(tab.fragments)), tab.script
        tab.drawn.clear()
        await tab.go("tasks")
        assert tab.script != left
        assert strip in tab.fragments, "the strip is on both"
        await tab.tick_of(strip)
        await tab.close()
        assert left not in tab.drawn
        return tab

    tab = asyncio.run(walk())
    assert tab.drawn[-1] == tab.script, "and its own ticks are drawn"
    assert tab.broken is None
