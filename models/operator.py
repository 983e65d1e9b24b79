"""The people who use the console, their sessions, and what they were told."""

from datetime import datetime
from enum import StrEnum, unique

from sqlalchemy import CheckConstraint, Index, false
from sqlmodel import Field, SQLModel

from models.base import Id, now, words


@unique
class Role(StrEnum):
    """What a person may do; each includes the one before."""

    viewer = "viewer"  # looks
    member = "member"  # runs tasks, and acts on their own
    operator = "operator"  # acts on all
    admin = "admin"  # also settings and operators

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that the other may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Operator(SQLModel, table=True):
    """A person with an account."""

    __tablename__ = "operators"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    name: str = Field(max_length=100, unique=True)
    role: Role = Field(default=Role.viewer, sa_type=words(Role))
    password_hash: str | None = Field(default=None, max_length=300)  # argon2; None: signs in by one-time link only
    time_zone: str | None = Field(default=None, max_length=64)
    theme: str | None = Field(default=None, max_length=20)  # light or dark; None: as the system says
    # On the desktop, when a task of theirs has ended
    notify: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    inbox_read_until: datetime | None = None  # what ended up to then is read
    created_at: datetime = Field(default_factory=now)
    disabled_at: datetime | None = None

    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'member', 'operator', 'admin')", name="role"),
        {"sqlite_autoincrement": True},
    )


class OperatorSession(SQLModel, table=True):
    """A signed-in browser. The cookie's secret is stored as its SHA-256 only."""

    __tablename__ = "sessions"

    id: int = Field(default=None, primary_key=True, sa_type=Id)
    secret_sha256: str = Field(max_length=64, unique=True)
    operator_id: int = Field(sa_type=Id, index=True)
    created_at: datetime = Field(default_factory=now)
    seen_at: datetime = Field(default_factory=now)
    expires_at: datetime
    revoked_at: datetime | None = None
    ip: str | None = Field(default=None, max_length=45)
    user_agent: str | None = Field(default=None, max_length=300)


class InboxItem(SQLModel, table=True):
    """A finished task that an operator asked for: theirs to read and to dismiss."""

    __tablename__ = "inbox"

    operator_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    task_id: int = Field(primary_key=True, sa_type=Id, sa_column_kwargs={"autoincrement": False})
    created_at: datetime = Field(default_factory=now)
    read_at: datetime | None = None
    dismissed_at: datetime | None = None

    __table_args__ = (Index("ix_inbox_operator", "operator_id", "dismissed_at", "task_id"),)
