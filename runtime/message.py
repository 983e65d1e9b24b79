"""A claimed task as Dramatiq hands it from consumer to thread."""

from typing import Any

from dramatiq.broker import MessageProxy
from dramatiq.message import Message

from runtime.held import Held


class LedgerMessage(MessageProxy):
    """Its fields are its own, for Dramatiq asks for them some fifteen times a task.

    The message that its base class would look them up in is made for whoever asks for it, as some middleware may.
    """

    def __init__(self, held: Held, queue: str) -> None:
        self.failed = False
        self._exception = None
        self.queue_name = queue
        self.actor_name = held.claimed.type
        self.args = held.key
        self.kwargs = {}
        self.options = {"task_id": held.claimed.id, "epoch": held.claimed.epoch}
        self.message_id = str(held.claimed.id)
        self.message_timestamp = 0

    def __getattr__(self, name: str) -> Any:
        if name != "_message":
            return super().__getattr__(name)
        self._message: Message[Any] = Message(
            queue_name=self.queue_name, actor_name=self.actor_name, args=self.args, kwargs=self.kwargs,
            options=self.options, message_id=self.message_id, message_timestamp=self.message_timestamp,
        )  # fmt: skip
        return self._message
