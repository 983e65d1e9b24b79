"""Tasks that people, schedules or other tasks asked for, the newest first; those of plain code have no part in it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

NOT_BY_CODE = "created_by_kind <> 'api'"


def upgrade() -> None:
    """Go to this schema."""
    where = sa.text(NOT_BY_CODE)
    op.create_index(
        "ix_tasks_made_by", "tasks", ["created_by_kind", "id"], sqlite_where=where, postgresql_where=where
    )  # fmt: skip


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_tasks_made_by", "tasks")
