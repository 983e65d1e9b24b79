"""Saved views; kinds of failure, counted by the hour."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_text = sqlmodel.sql.sqltypes.AutoString
_time = sqlmodel.sql.sqltypes.UTCDateTime
FAILED_ALIKE = sa.text("status = 'failed' AND fingerprint IS NOT NULL")


def upgrade() -> None:
    """Go to this schema."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    json = sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
    )
    op.create_table(
        "saved_views",
        sa.Column("id", number, nullable=False),
        sa.Column("owner", number, nullable=True),
        sa.Column("name", _text(length=60), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("query", json, nullable=False),
        sa.Column("created_at", _time(), nullable=False),
        sa.Column("updated_at", _time(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sqlite_autoincrement=True,
    )
    op.create_index("ux_saved_views_owner", "saved_views", ["owner", "name"], unique=True)
    op.create_table(
        "error_groups",
        sa.Column("fingerprint", _text(length=40), nullable=False),
        sa.Column("type", _text(length=100), nullable=False),
        sa.Column("error_class", _text(length=200), nullable=True),
        sa.Column("total", number, nullable=False),
        sa.Column("first_at", _time(), nullable=False),
        sa.Column("last_at", _time(), nullable=False),
        sa.Column("last_task_id", number, nullable=False),
        sa.Column("state", sa.Enum("open", "resolved", "ignored", native_enum=False, length=20), nullable=False),
        sa.Column("state_by", _text(length=120), nullable=True),
        sa.Column("state_at", _time(), nullable=False),
        sa.Column("note", _text(length=500), nullable=True),
        sa.CheckConstraint("state IN ('open', 'resolved', 'ignored')", name=op.f("ck_error_groups_state")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_error_groups")),
    )
    op.create_index("ix_error_groups_state", "error_groups", ["state", "last_at"])
    op.create_table(
        "error_counts",
        sa.Column("fingerprint", _text(length=40), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", number, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "hour", name=op.f("pk_error_counts")),
    )
    op.create_index("ix_error_counts_hour", "error_counts", ["hour"])
    op.create_index(
        "ix_tasks_failed_alike", "tasks", ["finished_at", "fingerprint", "id"],
        sqlite_where=FAILED_ALIKE, postgresql_where=FAILED_ALIKE,
    )  # fmt: skip


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_tasks_failed_alike", "tasks")
    for name in ("error_counts", "error_groups", "saved_views"):
        op.drop_table(name)
