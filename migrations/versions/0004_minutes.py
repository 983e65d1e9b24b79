"""Counts by the minute, for charts of the last hours."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

from models.rollup import this_minute

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "rollup_minutes",
        sa.Column("measure", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("queue", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("measure", "minute", "type", "queue", "bucket", name=op.f("pk_rollup_minutes")),
        sqlite_with_rowid=False,
    )
    minute = sa.Column("minute", sa.Integer(), nullable=False, server_default=this_minute())
    # SQLite adds no column whose default is worked out: the table, which holds a second's rows, is made anew
    with op.batch_alter_table("rollup_deltas", recreate="auto") as batch_op:
        batch_op.add_column(minute)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("rollup_deltas") as batch_op:
        batch_op.drop_column("minute")
    op.execute("DELETE FROM rollups WHERE hour > 0 AND type = ''")
    op.drop_table("rollup_minutes")
