"""First schema: everything that section 4 of the design names."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("time_utc", sa.Text(), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_table(
        "image",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Integer(), nullable=False),
        sa.Column("frames", sa.Integer(), nullable=False),
        sa.Column("bits", sa.Integer(), nullable=False),
        sa.Column("photometric", sa.Text(), nullable=False),
        sa.Column("source_format", sa.Text(), nullable=False),
        sa.Column("transfer_syntax", sa.Text(), nullable=True),
        sa.Column("lossy", sa.Boolean(), nullable=False),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("body_part", sa.Text(), nullable=True),
        sa.Column("laterality", sa.Text(), nullable=True),
        sa.Column("view", sa.Text(), nullable=True),
        sa.Column("row_spacing_mm", sa.Double(), nullable=True),
        sa.Column("column_spacing_mm", sa.Double(), nullable=True),
        sa.Column("for_processing", sa.Boolean(), nullable=False),
        sa.Column("burned_in", sa.Text(), nullable=False),
        sa.Column("cleared_by", sa.Text(), nullable=True),
        sa.Column("source_group", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("split", sa.Text(), nullable=True),
        sa.Column("import_number", sa.Integer(), nullable=False),
        sa.Column("imported_utc", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image")),
        sa.UniqueConstraint("sha256", name=op.f("uq_image_sha256")),
    )
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_image_source_group"), ["source_group"], unique=False)

    op.create_table(
        "reader",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("consent_utc", sa.Text(), nullable=True),
        sa.Column("consent_text_sha256", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_reader_pseudonym")),
    )
    op.create_table(
        "similarity_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("cohort_fingerprint", sa.Text(), nullable=False),
        sa.Column("image_count", sa.Integer(), nullable=False),
        sa.Column("valid_share", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("positive_rate", sa.Double(), nullable=True),
        sa.Column("matrix_path", sa.Text(), nullable=True),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_similarity_run")),
    )
    op.create_table(
        "study_case",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hanging", sa.Text(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("created_utc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_case")),
        sa.UniqueConstraint("name", name=op.f("uq_study_case_name")),
    )
    op.create_table(
        "case_image",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("tile", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"], name=op.f("fk_case_image_case_id")),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_case_image_image_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_image")),
        sa.UniqueConstraint("case_id", "tile", name=op.f("uq_case_image_case_id_tile")),
    )
    with op.batch_alter_table("case_image", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_image_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_case_image_image_id"), ["image_id"], unique=False)

    op.create_table(
        "neighbour",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("similarity_run_id", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("neighbour_id", sa.String(length=36), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_neighbour_image_id")),
        sa.ForeignKeyConstraint(
            ["neighbour_id"], ["image.id"], name=op.f("fk_neighbour_neighbour_id")
        ),
        sa.ForeignKeyConstraint(
            ["similarity_run_id"],
            ["similarity_run.id"],
            name=op.f("fk_neighbour_similarity_run_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_neighbour")),
    )
    with op.batch_alter_table("neighbour", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_neighbour_image_id"), ["image_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_neighbour_similarity_run_id"), ["similarity_run_id"], unique=False
        )

    op.create_table(
        "session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reader_id", sa.String(length=36), nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("software_version", sa.Text(), nullable=False),
        sa.Column("started_utc", sa.Text(), nullable=False),
        sa.Column("ended_utc", sa.Text(), nullable=True),
        sa.Column("zero_utc", sa.Text(), nullable=False),
        sa.Column("clock_speed", sa.Double(), nullable=False),
        sa.Column("tracker_id", sa.Text(), nullable=False),
        sa.Column("tracker_kind", sa.Text(), nullable=False),
        sa.Column("tracker_model", sa.Text(), nullable=False),
        sa.Column("tracker_serial", sa.Text(), nullable=False),
        sa.Column("tracker_rate_hz", sa.Double(), nullable=True),
        sa.Column("screen", sa.JSON(), nullable=False),
        sa.Column("screen_width_mm", sa.Double(), nullable=False),
        sa.Column("screen_height_mm", sa.Double(), nullable=False),
        sa.Column("refresh_hz", sa.Double(), nullable=False),
        sa.Column("distance_mm", sa.Double(), nullable=False),
        sa.Column("distance_source", sa.Text(), nullable=False),
        sa.Column("eye", sa.Text(), nullable=False),
        sa.Column("order_seed", sa.BigInteger(), nullable=True),
        sa.Column("case_order", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["reader.id"], name=op.f("fk_session_reader_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_reader_id"), ["reader_id"], unique=False)

    op.create_table(
        "training_run",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cohort_fingerprint", sa.Text(), nullable=False),
        sa.Column("similarity_run_id", sa.String(length=36), nullable=True),
        sa.Column("metrics_path", sa.Text(), nullable=False),
        sa.Column("checkpoint_path", sa.Text(), nullable=True),
        sa.Column("encoder_path", sa.Text(), nullable=True),
        sa.Column("report_path", sa.Text(), nullable=True),
        sa.Column("started_utc", sa.Text(), nullable=False),
        sa.Column("ended_utc", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["similarity_run_id"],
            ["similarity_run.id"],
            name=op.f("fk_training_run_similarity_run_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_run")),
    )
    op.create_table(
        "calibration",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.Column("accuracy_deg", sa.Double(), nullable=True),
        sa.Column("accuracy_left_deg", sa.Double(), nullable=True),
        sa.Column("accuracy_right_deg", sa.Double(), nullable=True),
        sa.Column("precision_rms_deg", sa.Double(), nullable=True),
        sa.Column("precision_rms_left_deg", sa.Double(), nullable=True),
        sa.Column("precision_rms_right_deg", sa.Double(), nullable=True),
        sa.Column("precision_sd_deg", sa.Double(), nullable=True),
        sa.Column("precision_sd_left_deg", sa.Double(), nullable=True),
        sa.Column("precision_sd_right_deg", sa.Double(), nullable=True),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("loss_left", sa.Double(), nullable=True),
        sa.Column("loss_right", sa.Double(), nullable=True),
        sa.Column("device_data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_calibration_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
    )
    with op.batch_alter_table("calibration", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_calibration_session_id"), ["session_id"], unique=False)

    op.create_table(
        "reading",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("reader_id", sa.String(length=36), nullable=False),
        sa.Column("resumes_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("sample_count", sa.BigInteger(), nullable=True),
        sa.Column("lost_count", sa.BigInteger(), nullable=True),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("off_image", sa.Double(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("verdict_reasons", sa.JSON(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["study_case.id"], name=op.f("fk_reading_case_id")),
        sa.ForeignKeyConstraint(["reader_id"], ["reader.id"], name=op.f("fk_reading_reader_id")),
        sa.ForeignKeyConstraint(["resumes_id"], ["reading.id"], name=op.f("fk_reading_resumes_id")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_reading_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reading_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reading_reader_id"), ["reader_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reading_session_id"), ["session_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reading_state"), ["state"], unique=False)

    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("nominal_rate_hz", sa.Double(), nullable=True),
        sa.Column("measured_rate_hz", sa.Double(), nullable=True),
        sa.Column("sample_count", sa.BigInteger(), nullable=False),
        sa.Column("lost_count", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_recording_session_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_session_id"), ["session_id"], unique=False)

    op.create_table(
        "annotation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reading_id", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=True),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("x_image", sa.Double(), nullable=True),
        sa.Column("y_image", sa.Double(), nullable=True),
        sa.Column("width_image", sa.Double(), nullable=True),
        sa.Column("height_image", sa.Double(), nullable=True),
        sa.Column("spread_image", sa.Double(), nullable=True),
        sa.Column("undone_us", sa.BigInteger(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_annotation_image_id")),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["reading.id"], name=op.f("fk_annotation_reading_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation")),
    )
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_annotation_reading_id"), ["reading_id"], unique=False)

    op.create_table(
        "fixation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reading_id", sa.String(length=36), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=True),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("x_image", sa.Double(), nullable=True),
        sa.Column("y_image", sa.Double(), nullable=True),
        sa.Column("x_deg", sa.Double(), nullable=False),
        sa.Column("y_deg", sa.Double(), nullable=False),
        sa.Column("dispersion_deg", sa.Double(), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("spans_view_change", sa.Boolean(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("parameters_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_fixation_image_id")),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["reading.id"], name=op.f("fk_fixation_reading_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixation")),
    )
    with op.batch_alter_table("fixation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fixation_image_id"), ["image_id"], unique=False)
        batch_op.create_index(
            "ix_fixation_reading_id_start_us", ["reading_id", "start_us"], unique=False
        )

    op.create_table(
        "gaze_chunk",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("codec_version", sa.Integer(), nullable=False),
        sa.Column("crc32", sa.BigInteger(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_gaze_chunk_recording_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaze_chunk")),
        sa.UniqueConstraint(
            "recording_id", "sequence", name=op.f("uq_gaze_chunk_recording_id_sequence")
        ),
    )
    with op.batch_alter_table("gaze_chunk", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gaze_chunk_recording_id_first_us", ["recording_id", "first_us"], unique=False
        )

    op.create_table(
        "view_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("reading_id", sa.String(length=36), nullable=False),
        sa.Column("time_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tile", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.String(length=36), nullable=False),
        sa.Column("image_width", sa.Integer(), nullable=False),
        sa.Column("image_height", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("a", sa.Double(), nullable=False),
        sa.Column("b", sa.Double(), nullable=False),
        sa.Column("c", sa.Double(), nullable=False),
        sa.Column("d", sa.Double(), nullable=False),
        sa.Column("tx", sa.Double(), nullable=False),
        sa.Column("ty", sa.Double(), nullable=False),
        sa.Column("tile_x", sa.Double(), nullable=False),
        sa.Column("tile_y", sa.Double(), nullable=False),
        sa.Column("tile_width", sa.Double(), nullable=False),
        sa.Column("tile_height", sa.Double(), nullable=False),
        sa.Column("window_center", sa.Double(), nullable=True),
        sa.Column("window_width", sa.Double(), nullable=True),
        sa.Column("inverted", sa.Boolean(), nullable=False),
        sa.Column("flipped_horizontally", sa.Boolean(), nullable=False),
        sa.Column("flipped_vertically", sa.Boolean(), nullable=False),
        sa.Column("rotation_deg", sa.Integer(), nullable=False),
        sa.Column("screen", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["image.id"], name=op.f("fk_view_event_image_id")),
        sa.ForeignKeyConstraint(
            ["reading_id"], ["reading.id"], name=op.f("fk_view_event_reading_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_event")),
    )
    with op.batch_alter_table("view_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_view_event_reading_id_time_us", ["reading_id", "time_us"], unique=False
        )
    _make_append_only()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute("DROP FUNCTION refuse_audit_change")
    with op.batch_alter_table("view_event", schema=None) as batch_op:
        batch_op.drop_index("ix_view_event_reading_id_time_us")

    op.drop_table("view_event")
    with op.batch_alter_table("gaze_chunk", schema=None) as batch_op:
        batch_op.drop_index("ix_gaze_chunk_recording_id_first_us")

    op.drop_table("gaze_chunk")
    with op.batch_alter_table("fixation", schema=None) as batch_op:
        batch_op.drop_index("ix_fixation_reading_id_start_us")
        batch_op.drop_index(batch_op.f("ix_fixation_image_id"))

    op.drop_table("fixation")
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_annotation_reading_id"))

    op.drop_table("annotation")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_session_id"))

    op.drop_table("recording")
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reading_state"))
        batch_op.drop_index(batch_op.f("ix_reading_session_id"))
        batch_op.drop_index(batch_op.f("ix_reading_reader_id"))
        batch_op.drop_index(batch_op.f("ix_reading_case_id"))

    op.drop_table("reading")
    with op.batch_alter_table("calibration", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_calibration_session_id"))

    op.drop_table("calibration")
    op.drop_table("training_run")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_reader_id"))

    op.drop_table("session")
    with op.batch_alter_table("neighbour", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_neighbour_similarity_run_id"))
        batch_op.drop_index(batch_op.f("ix_neighbour_image_id"))

    op.drop_table("neighbour")
    with op.batch_alter_table("case_image", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_case_image_image_id"))
        batch_op.drop_index(batch_op.f("ix_case_image_case_id"))

    op.drop_table("case_image")
    op.drop_table("study_case")
    op.drop_table("similarity_run")
    op.drop_table("reader")
    with op.batch_alter_table("image", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_image_source_group"))

    op.drop_table("image")
    op.drop_table("audit")


def _make_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit "
            "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )
