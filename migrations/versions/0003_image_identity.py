"""An image is identified by its pixels, their shape and meaning, and its patient.

The same bytes in another shape, inverted (MONOCHROME1), signed, or of another patient are a
different image. The type of the stored values (`dtype`) was not stored: it is read from the images
beside the database, and stays open where they are not here, as on a server.
"""

import ast
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IDENTITY = ["sha256", "rows", "columns", "frames", "dtype", "photometric", "source_group"]
_KINDS = {"u": "uint", "i": "int"}


def upgrade() -> None:
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dtype", sa.Text(), nullable=True))
        batch_op.drop_constraint("uq_image_sha256", type_="unique")
        batch_op.create_unique_constraint(op.f("uq_image_identity"), _IDENTITY)
    connection = op.get_bind()
    database = connection.engine.url.database
    if connection.dialect.name != "sqlite" or not database:
        return
    images = Path(database).parent / "images"
    update = sa.text("UPDATE image SET dtype = :dtype WHERE id = :id")
    for image_id in connection.execute(sa.text("SELECT id FROM image")).scalars().all():
        dtype = _dtype_of(images / image_id / "stored.npy")
        if dtype is not None:
            connection.execute(update, {"dtype": dtype, "id": image_id})


def downgrade() -> None:
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_image_identity"), type_="unique")
        batch_op.create_unique_constraint("uq_image_sha256", ["sha256"])
        batch_op.drop_column("dtype")


def _dtype_of(path: Path) -> str | None:
    """Return the type of the values in a NumPy file, like "uint16"; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(10)
            if head[:8] != b"\x93NUMPY\x01\x00":
                return None
            described = ast.literal_eval(file.read(int.from_bytes(head[8:], "little")).decode())
        kind, size = described["descr"][1], int(described["descr"][2:])
        return f"{_KINDS[kind]}{8 * size}"
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, IndexError):
        return None
