"""Reading deals as CRMs export them: `read` gives the canonical frame and an account of every row."""

from analytics.deals.model import Deals, Issue
from analytics.deals.reading import read

__all__ = ["Deals", "Issue", "read"]
