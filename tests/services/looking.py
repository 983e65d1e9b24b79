"""What the tests of searching share."""

from services import search
from services.search import TaskFilter
from tests.services import kit


def index_all() -> int:
    """Index until two looks in a row find nothing."""
    total, quiet = 0, 0
    while quiet < 3:
        done = search.index()
        total, quiet = total + done, 0 if done else quiet + 1
    return total


def found(**asked) -> list[int]:
    """The ids, newest first."""
    return search.ids(TaskFilter(**asked))


def found_by(text: str, **more) -> list[int]:
    index_all()
    return found(text=text, **more)


def title(text: str) -> int:
    return kit.greet(title=text).id
