"""Held tasks by how long they have been held: they are few, and nobody but a person lets them go."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

HELD = "status = 'pending' AND held_reason IS NOT NULL"


def upgrade() -> None:
    """Go to this schema."""
    op.create_index(
        "ix_tasks_held", "tasks", ["updated_at"], sqlite_where=sa.text(HELD), postgresql_where=sa.text(HELD)
    )


def downgrade() -> None:
    """Go back."""
    op.drop_index("ix_tasks_held", "tasks")
