"""Signed-in browsers, and one-time links that lead to one. Secrets are stored as SHA-256 only.

A link is a row of the same table: its hash is made with another prefix, so that neither secret works as the other, and
redeeming it is the one statement that revokes it.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select, update

from models import Event, Operator, OperatorSession, Role, now, reading, transaction
from services import audit, operators
from services.errors import Forbidden, NotFound

log = structlog.get_logger(__name__)

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
LINK_FOR = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=1)  # how often a visit is written down

REFUSALS_WITHIN = timedelta(minutes=5)
MOST_REFUSALS, MOST_REFUSALS_OF_ADDRESS, MOST_REFUSALS_OF_NAME = 5, 20, 50

LINK = "link"  # stands where a signed-in browser's address would

_session = OperatorSession.__table__.c  # type: ignore[attr-defined]
_operator = Operator.__table__.c  # type: ignore[attr-defined]
_event = Event.__table__.c  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session and whose it is; `operator` is as it was when this was asked."""

    id: int
    operator: Operator
    ip: str | None
    user_agent: str | None
    expires_at: datetime


class TooManyTries(Forbidden):
    """Somebody guesses passwords."""


def link(operator_id: int | None = None) -> str:
    """A secret that signs its bearer in once, within the hour: as this operator, or as the first admin."""
    audit.require(Role.admin)
    whose = operators.first() if operator_id is None else operators.get(operator_id)
    secret = secrets.token_urlsafe(24)
    with transaction() as session:
        session.add(
            OperatorSession(
                secret_sha256=_hash(LINK, secret),
                operator_id=whose.id or 0,
                expires_at=now() + LINK_FOR,
                ip=LINK,
            )
        )
        audit.record("make sign-in link", "operator", whose.id, after={"name": whose.name})
    return secret


def redeem(secret: str, ip: str | None, user_agent: str | None) -> str:
    """Sign in by a one-time link; the new session's secret. Raises `Forbidden`."""
    with transaction() as session:
        operator_id = session.execute(
            update(OperatorSession)
            .where(
                _session.secret_sha256 == _hash(LINK, secret),
                _session.revoked_at.is_(None),
                _session.expires_at > now(),
            )
            .values(revoked_at=now())
            .returning(_session.operator_id)
        ).scalar_one_or_none()  # fmt: skip
        if operator_id is None:
            raise Forbidden("This sign-in link has been used, or is too old. Ask for a new one.")
        return _start(operators.get(operator_id), ip, user_agent, "link")


def sign_in(name: str, password: str, ip: str | None, user_agent: str | None) -> str:
    """Sign in by password; the new session's secret. Raises `Forbidden`, after some failures `TooManyTries`."""
    name = name.replace("\0", "").strip()[:100]
    _slow_down(name, ip)
    operator = operators.verify(name, password)
    if operator is None:
        with audit.acting(audit.Actor("operator", name or None, ip=ip, user_agent=user_agent)):
            audit.record("sign-in refused", "operator", name)
        log.warning("sign-in refused", ip=ip)
        raise Forbidden("This name and password do not go together.")
    return _start(operator, ip, user_agent, "password")


def check(secret: str) -> SignedIn | None:
    """The live session with this secret, its visit noted; None where it ended, or never was."""
    found = _find(_session.secret_sha256 == _hash("session", secret))
    if found is not None:
        _note_visit(found[0])
    return None if found is None else _signed_in(*found)


def of_id(session_id: int) -> SignedIn | None:
    """The live session of this number; asking for it is no visit."""
    found = _find(_session.id == session_id)
    return None if found is None else _signed_in(*found)


def visited(session_id: int) -> None:
    """Somebody did something in this session: its idle time starts anew."""
    found = _find(_session.id == session_id)
    if found is not None:
        _note_visit(found[0])


def live(session_ids: Collection[int]) -> set[int]:
    """Those of these sessions that have not ended."""
    with reading() as session:
        query = select(_session.id).join(Operator, _operator.id == _session.operator_id)
        return set(session.execute(query.where(_session.id.in_(session_ids), *_lives())).scalars())


def list_sessions(operator_id: int | None = None) -> list[tuple[OperatorSession, str]]:
    """Live sessions with their operators' names, the last seen first. Of others: admins only."""
    if operator_id is None or operator_id != audit.current().operator_id:
        audit.require(Role.admin)
    query = select(OperatorSession, _operator.name).join(Operator, _operator.id == _session.operator_id)
    if operator_id is not None:
        query = query.where(_session.operator_id == operator_id)
    with reading() as session:
        rows = session.execute(query.where(*_lives()).order_by(_session.seen_at.desc()).limit(500)).all()
    return [(row[0], row[1]) for row in rows]


def revoke(session_id: int, verb: str = "revoke session") -> None:
    """End a session: one's own, or anybody's as an admin. Its pages close within seconds."""
    with transaction() as session:
        row = session.execute(select(OperatorSession).where(_session.id == session_id)).scalar_one_or_none()
        if row is None or row.ip == LINK:
            raise NotFound(f"there is no session {session_id}")
        audit.require(Role.viewer if row.operator_id == audit.current().operator_id else Role.admin)
        if row.revoked_at is None:
            session.execute(update(OperatorSession).where(_session.id == session_id).values(revoked_at=now()))
            audit.record(verb, "operator", row.operator_id, after={"session": session_id})


def _start(operator: Operator, ip: str | None, user_agent: str | None, by: str) -> str:
    if operator.disabled_at is not None:
        raise Forbidden(f"The account {operator.name} is disabled.")
    secret = secrets.token_urlsafe(32)
    with audit.acting_as(operator, ip=ip, user_agent=user_agent), transaction() as session:
        session.add(
            OperatorSession(
                secret_sha256=_hash("session", secret), operator_id=operator.id or 0, expires_at=now() + LONGEST,
                ip=_cut(ip, 45), user_agent=_cut(user_agent, 300),
            )
        )  # fmt: skip
        audit.record("sign in", "operator", operator.id, after={"name": operator.name, "by": by})
    log.info("signed in", operator=operator.name, by=by, ip=ip)
    return secret


def _find(condition: object) -> tuple[OperatorSession, Operator] | None:
    query = select(OperatorSession, Operator).join(Operator, _operator.id == _session.operator_id)
    with reading() as session:
        row = session.execute(query.where(condition, *_lives())).one_or_none()  # type: ignore[arg-type]
    return None if row is None else (row[0], row[1])


def _lives() -> list:
    at = now()
    no_link = or_(_session.ip.is_(None), _session.ip != LINK)
    in_time = (_session.expires_at > at) & (_session.seen_at > at - IDLE)
    return [_session.revoked_at.is_(None), in_time, no_link, _operator.disabled_at.is_(None)]


def _signed_in(row: OperatorSession, operator: Operator) -> SignedIn:
    return SignedIn(row.id or 0, operator, row.ip, row.user_agent, row.expires_at)


def _note_visit(row: OperatorSession) -> None:
    if now() - row.seen_at > NOTED_EVERY:
        with transaction() as session:
            session.execute(update(OperatorSession).where(_session.id == row.id).values(seen_at=now()))


def _slow_down(name: str, ip: str | None) -> None:
    """The refusals of the last minutes, from the audit trail: they count for every console, and survive a restart."""
    recent = select(func.count()).where(_event.at > now() - REFUSALS_WITHIN, _event.verb == "sign-in refused")
    of_name, of_ip = _event.entity_id == name, _event.ip == ip
    with reading() as session:
        limits = (
            ((of_name, of_ip), MOST_REFUSALS), ((of_ip,), MOST_REFUSALS_OF_ADDRESS), ((of_name,), MOST_REFUSALS_OF_NAME)
        )  # fmt: skip
        if any(session.execute(recent.where(*which)).scalar_one() >= most for which, most in limits):
            raise TooManyTries("Too many tries. Wait five minutes, then try again.")


def _hash(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind}:{secret}".encode("utf-8", "replace")).hexdigest()


def _cut(text: str | None, most: int) -> str | None:
    return None if text is None else text.replace("\0", "")[:most]
