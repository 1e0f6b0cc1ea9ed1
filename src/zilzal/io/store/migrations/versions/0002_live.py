"""What a monitor keeps: how far its sources were read, notes on how it goes, messages to send.

A copy of the tables as they were then, which must not follow the schema.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "bookmark",
        Column("source", Text, primary_key=True),
        Column("part", Text, primary_key=True),
        Column("place", Text, nullable=False),
    )
    op.create_table(
        "note",
        Column("key", Text, primary_key=True),
        Column("content", Text, nullable=False),
        Column("written", BigInteger, nullable=False),
    )
    op.create_table(
        "message",
        Column("sink", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("content", Text, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("written", BigInteger, nullable=False),
    )
    op.create_index("ix_message_state_due", "message", ["state", "due"])


def downgrade() -> None:
    op.drop_index("ix_message_state_due", "message")
    for name in ("message", "note", "bookmark"):
        op.drop_table(name)
