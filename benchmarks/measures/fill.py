"""A ledger with so many tasks that have ended, and so many that wait: Callboard alone."""

from typing import Any

from benchmarks.measures import Figures


def measure(peer: Any, waiting: int, ended: int) -> Figures:
    """Fill the empty ledger."""
    from sqlalchemy import text

    from benchmarks import ledger
    from models import db

    if ended:
        ledger.make(ended)
        if db.is_postgresql():  # rows were copied in with their ids
            with db.engine().begin() as connection:
                newest = "setval(pg_get_serial_sequence('tasks', 'id'), max(id))"
                connection.execute(text(f"SELECT {newest} FROM tasks"))
    peer.enqueue_many(range(waiting))
    with db.engine().begin() as connection:
        connection.execute(text("ANALYZE"))
    return {"waiting": waiting, "ended": ended}
