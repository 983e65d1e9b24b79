"""Reading deals as CRMs export them: `read` gives the canonical frame and an account of every row."""

from .model import Deals, Issue
from .reading import read

__all__ = ["Deals", "Issue", "read"]
