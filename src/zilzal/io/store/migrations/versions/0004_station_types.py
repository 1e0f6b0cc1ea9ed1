"""What a classifier says of each station.

A copy of the table as it was then, which must not follow the schema.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Double, ForeignKey, Integer, Text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "station_classification",
        Column(
            "classification",
            BigInteger,
            ForeignKey("classification.digest"),
            primary_key=True,
            autoincrement=False,
        ),
        Column("position", Integer, primary_key=True, autoincrement=False),
        Column("network", Text, nullable=False),
        Column("station", Text, nullable=False),
        Column("model", Text, nullable=False),
        Column("probabilities", Text, nullable=False),
        Column("weight", Double, nullable=False),
        Column("reason", Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("station_classification")
