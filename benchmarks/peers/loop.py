"""For peers whose clients are coroutines: one event loop for the process that enqueues."""

import asyncio

_loop = asyncio.new_event_loop()
run = _loop.run_until_complete
