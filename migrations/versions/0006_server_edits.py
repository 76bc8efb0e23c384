"""A server where each station has its own role: who sent a row, and edits in the server's order.

The columns that say who sent a row, and what applies an edit, exist only on a server: a study in a
file has one station. Rights are granted by `python main.py db server`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_OWNED = ("session", "image", "study_case")

_APPLY = """
CREATE FUNCTION apply_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT AS $$
DECLARE
    sender text;
    known boolean := false;
BEGIN
    -- The row is locked before the number is drawn: edits of one row take effect in their order.
    IF NEW.subject = 'image' THEN
        SELECT true, pushed_by INTO known, sender FROM image WHERE id = NEW.row_id FOR UPDATE;
    ELSIF NEW.subject = 'study_case' THEN
        SELECT true, pushed_by INTO known, sender FROM study_case WHERE id = NEW.row_id FOR UPDATE;
    ELSIF NEW.subject = 'reading' THEN
        SELECT true, s.pushed_by INTO known, sender FROM reading r
        JOIN session s ON s.id = r.session_id WHERE r.id = NEW.row_id FOR UPDATE OF r;
    END IF;
    IF known IS NOT TRUE THEN
        RAISE EXCEPTION 'an edit of a row that is not here' USING ERRCODE = '23503';
    END IF;
    IF sender IS DISTINCT FROM session_user::text
       AND NOT pg_has_role(session_user, current_user, 'MEMBER')
       AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_database() || '_researchers'
                       AND pg_has_role(session_user, oid, 'MEMBER')) THEN
        RAISE EXCEPTION 'an edit of a row that another station sent' USING ERRCODE = '42501';
    END IF;
    IF EXISTS (SELECT FROM edit WHERE id = NEW.id) THEN
        RETURN NULL;
    END IF;
    NEW.number := nextval('edit_number');
    NEW.station := session_user;
    NEW.time_utc := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
    IF NEW.subject = 'reading' AND NEW.what = 'cohort' THEN
        UPDATE reading SET details =
            (details::jsonb || jsonb_build_object('cohort', NEW.value::jsonb))::json
        WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'image' AND NEW.what = 'label' THEN
        UPDATE image SET label = NEW.value #>> '{}' WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'image' AND NEW.what = 'split' THEN
        UPDATE image SET split = NEW.value #>> '{}' WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'image' AND NEW.what = 'dtype' THEN
        UPDATE image SET dtype = NEW.value #>> '{}' WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'image' AND NEW.what = 'clearing' THEN
        UPDATE image SET burned_in = NEW.value ->> 'burned_in',
            cleared_by = NEW.value ->> 'cleared_by', details = NEW.value -> 'details',
            sha256 = coalesce(NEW.value ->> 'sha256', sha256)
        WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'study_case' AND NEW.what = 'hanging' THEN
        IF EXISTS (SELECT FROM reading WHERE case_id = NEW.row_id) THEN
            RETURN NULL;
        END IF;
        UPDATE study_case SET hanging = NEW.value ->> 'hanging',
            practice = (NEW.value ->> 'practice')::boolean
        WHERE id = NEW.row_id;
        DELETE FROM case_image WHERE case_id = NEW.row_id;
        INSERT INTO case_image (id, case_id, image_id, tile)
        SELECT t ->> 'id', NEW.row_id, t ->> 'image_id', (t ->> 'tile')::integer
        FROM json_array_elements(NEW.value -> 'tiles') t;
    ELSE
        RAISE EXCEPTION 'an edit that this server does not know' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "edit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("time_utc", sa.Text(), nullable=True),
        sa.Column("station", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("row_id", sa.String(length=36), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edit")),
    )
    with op.batch_alter_table("edit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_edit_row_id"), ["row_id"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
        sa.UniqueConstraint("station", "subject", name=op.f("uq_receipt_station_subject")),
    )
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in _OWNED:
        op.execute(f"ALTER TABLE {table} ADD COLUMN pushed_by text")
        op.execute(f"ALTER TABLE {table} ALTER COLUMN pushed_by SET DEFAULT session_user::text")
    op.execute("CREATE SEQUENCE edit_number")
    op.execute(_APPLY)
    op.execute(
        "CREATE TRIGGER edit_applied BEFORE INSERT ON edit "
        "FOR EACH ROW EXECUTE FUNCTION apply_edit()"
    )


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    if postgresql:
        for table in _OWNED:
            op.execute(f"ALTER TABLE {table} DROP COLUMN pushed_by CASCADE")  # and its policies
    op.drop_table("receipt")
    op.drop_table("edit")
    if postgresql:
        op.execute("DROP FUNCTION apply_edit()")
        op.execute("DROP SEQUENCE edit_number")
