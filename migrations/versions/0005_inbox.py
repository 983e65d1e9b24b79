"""The inbox: what ended of what a person asked for, how far they have read, and whether the desktop tells them."""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision = "0005"
down_revision = "0004"

ASKED_FOR = "created_by_kind = 'operator' AND finished_at IS NOT NULL"


def upgrade() -> None:
    """Go to this schema."""
    op.add_column("operators", sa.Column("notify", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("operators", sa.Column("inbox_read_until", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    # What ended before there was an inbox is not news
    op.execute("UPDATE operators SET inbox_read_until = CURRENT_TIMESTAMP")
    op.create_index(
        "ix_tasks_inbox", "tasks", ["owner", "finished_at", "id"],
        sqlite_where=sa.text(ASKED_FOR), postgresql_where=sa.text(ASKED_FOR),
    )  # fmt: skip


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_tasks_inbox", "tasks")
    op.drop_column("operators", "inbox_read_until")
    op.drop_column("operators", "notify")
