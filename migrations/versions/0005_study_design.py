"""Questions and answers, arms and assignments, and what else is known about a case.

Earlier readings have none of them: their answers stay annotations of kind class
(`migrations.study.answers.answers_of` reads both).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _id(name: str, table: str, of: str, *, nullable: bool = False) -> tuple[SchemaItem, SchemaItem]:
    """Return a column that refers to another table, and its constraint."""
    return (
        sa.Column(name, sa.String(length=36), nullable=nullable),
        sa.ForeignKeyConstraint([name], [f"{of}.id"], name=op.f(f"fk_{table}_{name}")),
    )


def _made(table: str, *parts: SchemaItem, indexed: tuple[str, ...]) -> None:
    key = sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}"))
    op.create_table(table, sa.Column("id", sa.String(length=36), nullable=False), *parts, key)
    for name in indexed:
        op.create_index(op.f(f"ix_{table}_{name}"), table, [name], unique=False)


def upgrade() -> None:
    _made(
        "question",
        *(sa.Column(n, sa.Text(), nullable=False) for n in ("key", "text", "scope", "kind")),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        indexed=("key",),
    )
    _made(
        "arm",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        indexed=("key",),
    )
    _made(
        "assignment",
        *_id("reader_id", "assignment", "reader"),
        *_id("case_id", "assignment", "study_case"),
        *_id("arm_id", "assignment", "arm", nullable=True),
        sa.Column("period", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        indexed=("reader_id", "case_id", "arm_id"),
    )
    _made(
        "answer",
        *_id("reading_id", "answer", "reading"),
        *_id("question_id", "answer", "question"),
        *_id("annotation_id", "answer", "annotation", nullable=True),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("undone_us", sa.BigInteger(), nullable=True),
        indexed=("reading_id", "question_id", "annotation_id"),
    )
    op.add_column("study_case", sa.Column("sheet", sa.JSON(), nullable=True))
    _add_arm_to_readings()


def downgrade() -> None:
    op.drop_index(op.f("ix_reading_arm_id"), table_name="reading")
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_column("arm_id")  # and its constraint with it
    op.drop_column("study_case", "sheet")
    for table in ("answer", "assignment", "arm", "question"):
        op.drop_table(table)


def _add_arm_to_readings() -> None:
    """Add the column without rewriting the table, which SQLite would do for a constraint."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "ALTER TABLE reading ADD COLUMN arm_id VARCHAR(36) "
            "CONSTRAINT fk_reading_arm_id REFERENCES arm (id)"
        )
    else:
        op.add_column("reading", sa.Column("arm_id", sa.String(length=36), nullable=True))
        op.create_foreign_key(op.f("fk_reading_arm_id"), "reading", "arm", ["arm_id"], ["id"])
    op.create_index(op.f("ix_reading_arm_id"), "reading", ["arm_id"], unique=False)
