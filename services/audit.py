"""Who acts, whether they may, and the record of it: in the same transaction as the act."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from models import Operator, Role, Task, now, reading, tables, transaction
from services.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is at work. Code without a person behind it (a prompt, a script) acts as `api`, with all rights:
    it holds the keys of the database anyhow."""

    kind: str = "api"  # operator, api, task, schedule, system
    id: str | None = None
    operator_id: int | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id else self.kind


_API = Actor()
_current: ContextVar[Actor] = ContextVar("actor", default=_API)


def current() -> Actor:
    """Who acts here and now."""
    return _current.get()


@contextmanager
def acting(actor: Actor) -> Iterator[Actor]:
    """Do what follows as this actor."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def acting_as(operator: Operator, **request: str | None) -> Any:
    """Do what follows as this operator; `request` may give ip, user_agent, request_id."""
    return acting(Actor("operator", operator.name, operator.id, **request))


def require(role: Role, owner: int | None = None) -> None:
    """Refuse unless the acting operator has this role, or is a member acting on their own (`owner`).

    The role is read anew each time, so that a demotion holds at once. Raises `Forbidden`.
    """
    actor = current()
    if actor.kind != "operator":
        return
    o = tables.operators.c
    with reading() as session:
        row = session.execute(select(o.role, o.disabled_at).where(o.id == actor.operator_id)).first()
    if row is None or row.disabled_at is not None:
        raise Forbidden(f"{actor.id} has no active account")
    own = owner is not None and owner == actor.operator_id and role is Role.operator
    if not row.role.includes(Role.member if own else role):
        raise Forbidden(f"{actor.id} is a {row.role.value}; this takes the role {role.value}")


def allows(role: Role) -> bool:
    """Whether the acting operator has this role now."""
    try:
        require(role)
    except Forbidden:
        return False
    return True


def require_for(task: Task) -> None:
    """Refuse unless the acting operator may act on this task: their own, or any with the operator's role."""
    require(Role.operator, owner=task.owner)


def record(
    verb: str,
    entity: str,
    entity_id: object,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Append to the audit trail, in the open transaction (or one of its own)."""
    record_many(verb, entity, [(entity_id, before, after)], reason)


Change = tuple[object, dict[str, Any] | None, dict[str, Any] | None]  # entity's id, before, after


def record_many(verb: str, entity: str, changes: Iterable[Change], reason: str | None = None) -> None:
    """The same for many things at once: one event each."""
    actor, at = current(), now()
    shared = {
        "at": at, "actor_kind": actor.kind, "actor_id": actor.id, "verb": verb, "entity": entity, "reason": reason,
        **_request(actor),
    }  # fmt: skip
    rows = [
        {**shared, "entity_id": None if which is None else str(which), "before": before, "after": after}
        for which, before, after in changes
    ]
    if rows:
        with transaction() as session:
            session.execute(insert(tables.events), rows)


def _request(actor: Actor) -> dict[str, str | None]:
    """Where the act came from, cut to what its columns hold: a browser may call itself anything."""
    columns = tables.events.c
    return {
        name: None
        if (said := getattr(actor, name)) is None
        else said.replace("\0", "")[: getattr(columns[name].type, "length", None)]
        for name in ("ip", "user_agent", "request_id")
    }
