"""The sealed record: a chain of hashes, the keys that sign it, and who did what and why.

Existing records are sealed as they are found. `seal_head` has rows only on a server: the last seal
that each station sent.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("person", sa.Text(), nullable=True))
    op.add_column("audit", sa.Column("reason", sa.Text(), nullable=True))
    op.create_table(
        "seal",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sa.UniqueConstraint("number", name=op.f("uq_seal_number")),
    )
    op.create_table(
        "seal_key",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_key")),
    )
    op.create_table(
        "seal_head",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("chain", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("time_utc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_head")),
    )
    op.create_index(op.f("ix_seal_head_chain"), "seal_head", ["chain"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_seal_head_chain"), table_name="seal_head")
    for table in ("seal_head", "seal_key", "seal"):
        op.drop_table(table)
    for column in ("reason", "person"):
        op.drop_column("audit", column)
