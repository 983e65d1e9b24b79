"""The stores of a run: each measure finds them empty, and what their servers use is watched."""

from dataclasses import dataclass

import psutil
import psycopg
import redis
from psycopg import sql


@dataclass(frozen=True)
class Server:
    """One that runs: where, and its process."""

    url: str
    pid: int


def valkey(url: str) -> Server:
    """The Valkey at this URL."""
    return Server(url, redis.Redis.from_url(url).info("server")["process_id"])


def postgresql(sqlalchemy_url: str) -> Server:
    """The PostgreSQL at this URL, which becomes one that all clients know."""
    url = sqlalchemy_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(url) as connection:
        parent = psutil.Process(connection.info.backend_pid).parent()
    assert parent is not None, "a backend is a child of the postmaster"
    return Server(url, parent.pid)


def emptied(server: Server) -> str:
    """The URL of this Valkey, with nothing in it."""
    redis.Redis.from_url(server.url).flushall()
    return server.url


def new_database(server: Server, name: str = "bench") -> str:
    """The URL of an empty database; one of that name is dropped first. What was written before is on disk by then."""
    database = sql.Identifier(name)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
        connection.execute("CHECKPOINT")
    return server.url.replace("/postgres?", f"/{name}?")


def for_sqlalchemy(url: str) -> str:
    """The same as Callboard's DATABASE_URL."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
