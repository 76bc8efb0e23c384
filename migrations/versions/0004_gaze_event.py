"""Saccades, pursuits and blinks beside fixations.

Earlier readings have none: what an eye did between their fixations was not classified.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gaze_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reading_id", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=True),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("amplitude_deg", sa.Double(), nullable=True),
        sa.Column("peak_velocity_deg_s", sa.Double(), nullable=True),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("parameters_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_gaze_event_image_id")),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["reading.id"], name=op.f("fk_gaze_event_reading_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaze_event")),
    )
    with op.batch_alter_table("gaze_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gaze_event_image_id"), ["image_id"], unique=False)
        batch_op.create_index(
            "ix_gaze_event_reading_id_start_us", ["reading_id", "start_us"], unique=False
        )


def downgrade() -> None:
    op.drop_table("gaze_event")
