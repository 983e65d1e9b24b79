"""The people with an account: made, changed, let in by their password. Managing them takes the role admin."""

import difflib
from typing import Any
from zoneinfo import available_timezones

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models import Operator, Role, now, reading, transaction
from services import audit, checks
from services.errors import InvalidInput, NotFound

log = structlog.get_logger(__name__)

FIRST = "admin"
THEMES = ("light", "dark")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200

_operator = Operator.__table__.c  # type: ignore[attr-defined]


def create(name: str, role: Role | str = Role.viewer, password: str | None = None) -> Operator:
    """Make an account; without a password its person signs in by one-time link only."""
    name = checks.name(name, "name", 100)
    if name != name.strip():
        raise InvalidInput("name", "begins or ends with a space; remove it")
    row = Operator(name=name, role=_role(role), password_hash=_hashed(password))
    audit.require(Role.admin)
    try:
        with transaction() as session:
            session.add(row)
            session.flush()
            audit.record("create", "operator", row.id, after={"name": name, "role": row.role.value})
    except IntegrityError:
        raise InvalidInput("name", f"there is an operator {checks.shortened(name)} already; choose another") from None
    return row


def first() -> Operator:
    """The operator that a fresh installation is handed to: its first active admin, made where there is none."""
    with transaction() as session:
        admins = select(Operator).where(_operator.role == Role.admin, _operator.disabled_at.is_(None))
        found = session.execute(admins.order_by(_operator.id).limit(1)).scalar_one_or_none()
        return found or create(FIRST, Role.admin)


def get(operator_id: int) -> Operator:
    """One operator. Raises `NotFound`."""
    with reading() as session:
        return _one(session, operator_id)


def by_name(name: str) -> Operator:
    """The operator of this name. Raises `NotFound`, with names that are near, and `InvalidInput`."""
    checks.name(name, "name", 100)
    with reading() as session:
        found = session.execute(select(Operator).where(_operator.name == name)).scalar_one_or_none()
        if found is not None:
            return found
        names = session.execute(select(_operator.name).limit(1_000)).scalars().all()
    near = difflib.get_close_matches(str(name), names, 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise NotFound(f"there is no operator {checks.shortened(name)}{hint}")


def list_operators() -> list[Operator]:
    """All operators by name, the disabled ones too."""
    with reading() as session:
        return list(session.execute(select(Operator).order_by(_operator.name)).scalars())


def set_role(operator_id: int, role: Role | str) -> Operator:
    """Give another role; it holds from the person's next act on. The last active admin stays one."""
    wanted = _role(role)
    audit.require(Role.admin)
    with transaction() as session:
        was = _one(session, operator_id, lock=True)
        if was.role is not wanted:
            _keep_an_admin(session, was)
            _set(session, operator_id, role=wanted)
            audit.record(
                "change role", "operator", operator_id, before={"name": was.name, "role": was.role.value},
                after={"name": was.name, "role": wanted.value},
            )  # fmt: skip
        return _one(session, operator_id)


def set_password(operator_id: int, password: str) -> None:
    """Set a password: admins for anybody, everybody their own."""
    hashed = _hashed(password)
    _require_self_or_admin(operator_id)
    with transaction() as session:
        was = _one(session, operator_id, lock=True)
        _set(session, operator_id, password_hash=hashed)
        audit.record("set password", "operator", operator_id, after={"name": was.name})


def set_time_zone(operator_id: int, name: str | None) -> None:
    """Show times in this zone to this person; None: in their browser's."""
    if name is not None:
        checks.name(name, "time zone", 64)
        if name not in available_timezones():
            raise InvalidInput("time zone", f"{checks.shortened(name)} is not a time zone such as Europe/London")
    _require_self_or_admin(operator_id)
    with transaction() as session:
        _one(session, operator_id, lock=True)
        _set(session, operator_id, time_zone=name)


def set_theme(operator_id: int, name: str | None) -> None:
    """Show the console light or dark to this person; None: as their system says."""
    if name is not None and name not in THEMES:
        raise InvalidInput("theme", f"{checks.shortened(name)} is none of {', '.join(THEMES)}")
    _require_self_or_admin(operator_id)
    with transaction() as session:
        _one(session, operator_id, lock=True)
        _set(session, operator_id, theme=name)


def set_notify(operator_id: int, on: bool) -> None:
    """Whether the desktop tells this person what ended of what they asked for."""
    if type(on) is not bool:
        raise InvalidInput("notify", f"{checks.shortened(on)} is neither True nor False")
    _require_self_or_admin(operator_id)
    with transaction() as session:
        _one(session, operator_id, lock=True)
        _set(session, operator_id, notify=on)


def can_sign_in_by_password() -> bool:
    """Whether any active operator has a password."""
    some = select(_operator.id).where(_operator.password_hash.is_not(None), _operator.disabled_at.is_(None)).limit(1)
    with reading() as session:
        return session.execute(some).first() is not None


def disable(operator_id: int, reason: str | None = None) -> Operator:
    """Shut an account: its sessions end within seconds. The last active admin stays."""
    return _switch(operator_id, True, reason)


def enable(operator_id: int, reason: str | None = None) -> Operator:
    """Open a disabled account again."""
    return _switch(operator_id, False, reason)


def verify(name: str, password: str) -> Operator | None:
    """The active operator with this password. Takes the same time whether or not there is one of that name."""
    with reading() as session:
        found = session.execute(select(Operator).where(_operator.name == name)).scalar_one_or_none()
    known = found.password_hash if found is not None and found.disabled_at is None else None
    return found if _matches(known or _nobodys_hash(), password[:LONGEST_PASSWORD]) and known else None


def _switch(operator_id: int, off: bool, reason: str | None) -> Operator:
    reason = None if reason is None else checks.name(reason, "reason", 500)
    audit.require(Role.admin)
    with transaction() as session:
        was = _one(session, operator_id, lock=True)
        if (was.disabled_at is not None) != off:
            if off:
                _keep_an_admin(session, was)
            _set(session, operator_id, disabled_at=now() if off else None)
            verb = "disable" if off else "enable"
            audit.record(verb, "operator", operator_id, after={"name": was.name}, reason=reason)
        return _one(session, operator_id)


def _keep_an_admin(session: Session, one: Operator) -> None:
    """Refuse to take the last active admin's powers: nobody could give them back."""
    if one.role is not Role.admin or one.disabled_at is not None:
        return
    active = select(_operator.id).where(_operator.role == Role.admin, _operator.disabled_at.is_(None))
    if len(session.execute(active.with_for_update()).all()) == 1:
        raise InvalidInput("role", f"{one.name} is the last active admin; make another one first")


def _require_self_or_admin(operator_id: int) -> None:
    if audit.current().operator_id != operator_id:
        audit.require(Role.admin)
    else:
        audit.require(Role.viewer)


def _one(session: Session, operator_id: int, lock: bool = False) -> Operator:
    checks.whole(operator_id, "operator", 1, 2**53)
    query = select(Operator).where(_operator.id == operator_id).execution_options(populate_existing=True)
    found = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no operator {operator_id}")
    session.expunge(found)
    return found


def _set(session: Session, operator_id: int, **values: Any) -> None:
    session.execute(update(Operator).where(_operator.id == operator_id).values(**values))


def _role(given: Role | str) -> Role:
    return checks.one_of(Role, given, "role")


def _hashed(password: str | None) -> str | None:
    if password is None:
        return None
    if not isinstance(password, str) or not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput("password", f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    checks.text(password, "password")
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def _matches(hashed: str, password: str) -> bool:
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


_nobody: list[str] = []


def _nobodys_hash() -> str:
    if not _nobody:
        _nobody.append(_hashed("nobody knows this password") or "")
    return _nobody[0]
