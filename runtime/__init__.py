"""How a task is carried out. What a task type needs is here: `actor`, `Run`, and what a body may raise."""

from runtime.actor import actor
from runtime.errors import GiveUp, Retry
from runtime.run import Run

__all__ = ["GiveUp", "Retry", "Run", "actor"]
