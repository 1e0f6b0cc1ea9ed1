"""What a console needs: who judged an event, and what was written last, quickly.

A copy of the changes as they were then, which must not follow the schema.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Text

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("event_version", Column("author", Text, nullable=False, server_default=""))
    op.create_index("ix_event_written", "event", ["written"])


def downgrade() -> None:
    op.drop_index("ix_event_written", "event")
    with op.batch_alter_table("event_version") as table:
        table.drop_column("author")
