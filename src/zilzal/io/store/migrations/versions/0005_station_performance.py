"""The history of stations.

A copy of the table as it was then, which must not follow the schema.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Double, Text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "station_performance",
        Column("network", Text, primary_key=True),
        Column("station", Text, primary_key=True),
        Column("time", BigInteger, primary_key=True, autoincrement=False),
        Column("is_hour", Boolean, nullable=False),
        Column("span_s", Double, nullable=False),
        Column("packets", BigInteger, nullable=False),
        Column("picks", BigInteger, nullable=False),
        *(
            Column(name, Double)
            for name in ("arrival_s", "silent_s", "data_age_s", "behind_s", "noise_db")
        ),
    )
    op.create_index(
        "ix_station_performance_is_hour_time", "station_performance", ["is_hour", "time"]
    )


def downgrade() -> None:
    op.drop_index("ix_station_performance_is_hour_time", "station_performance")
    op.drop_table("station_performance")
