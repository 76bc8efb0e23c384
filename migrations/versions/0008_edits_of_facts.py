"""Case sheets and readers' attributes that change after they were sent are edits, too.

The function that puts an edit into effect (revision 0006) learns two more of them. A study in a
file stays as it is.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_READER = """\
    ELSIF NEW.subject = 'reader' THEN
        -- Asked at each of a reader's stations: whoever sent a session of the reader may say it.
        SELECT true, (SELECT s.pushed_by FROM session s WHERE s.reader_id = r.id
                      AND s.pushed_by = session_user::text LIMIT 1)
        INTO known, sender FROM reader r WHERE r.id = NEW.row_id FOR UPDATE OF r;
"""
_FACTS = """\
    ELSIF NEW.subject = 'study_case' AND NEW.what = 'sheet' THEN
        UPDATE study_case SET sheet = NEW.value WHERE id = NEW.row_id;
    ELSIF NEW.subject = 'reader' AND NEW.what = 'attributes' THEN
        UPDATE reader SET details = (details::jsonb || jsonb_build_object('attributes',
            coalesce(details::jsonb -> 'attributes', '{}') || NEW.value::jsonb))::json
        WHERE id = NEW.row_id;
"""
_APPLY = """
CREATE OR REPLACE FUNCTION apply_edit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
@READER@    END IF;
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
@FACTS@    ELSE
        RAISE EXCEPTION 'an edit that this server does not know' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    _replace(_READER, _FACTS)


def downgrade() -> None:
    _replace("", "")


def _replace(reader: str, facts: str) -> None:
    """Rewrite the function, with or without the parts that are new in this revision."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_APPLY.replace("@READER@", reader).replace("@FACTS@", facts))
