"""What the seal covers: each table's columns, and the version that introduced them.

A new table adds a line. A table that gains a column gets another line with a higher `since`; rows
sealed earlier are still compared by the columns of their own version.
"""

from dataclasses import dataclass
from functools import cache

VERSION = 1
"""Version of the registry and of the hashed bytes (`migrations.study.seal.canonical`)."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The columns of a table that are sealed from a version on; its `id` always is."""

    table: str
    columns: tuple[str, ...]
    since: int = 1


def _line(table: str, columns: str, since: int = 1) -> Sealed:
    return Sealed(table, ("id", *columns.split()), since)


REGISTRY = (
    _line("audit", "time_utc station action subject details person reason"),
    _line("reader", "pseudonym created_utc consent_utc consent_text_sha256 details"),
    _line("image", "sha256 rows columns frames bits photometric source_format transfer_syntax "
          "lossy modality body_part laterality view row_spacing_mm column_spacing_mm "
          "for_processing burned_in cleared_by source_group label split "
          "import_number imported_utc details dtype"),
    _line("study_case", "name position hanging practice created_utc sheet"),
    _line("case_image", "case_id image_id tile"),
    _line("session", "reader_id station software_version started_utc ended_utc zero_utc "
          "clock_speed tracker_id tracker_kind tracker_model tracker_serial tracker_rate_hz screen "
          "screen_width_mm screen_height_mm refresh_hz distance_mm distance_source eye order_seed "
          "case_order details"),
    _line("calibration", "session_id kind status started_us ended_us points accuracy_deg "
          "accuracy_left_deg accuracy_right_deg precision_rms_deg precision_rms_left_deg "
          "precision_rms_right_deg precision_sd_deg precision_sd_left_deg "
          "precision_sd_right_deg loss loss_left loss_right device_data"),
    _line("recording", "session_id state started_us ended_us nominal_rate_hz events"),
    _line("reading", "session_id case_id reader_id resumes_id state practice started_us ended_us "
          "details arm_id"),
    _line("question", "key text scope kind options condition position created_utc"),
    _line("answer", "reading_id question_id annotation_id time_us value undone_us"),
    _line("arm", "key conditions position created_utc"),
    _line("assignment", "reader_id case_id arm_id period position created_utc"),
    _line("gaze_chunk", "recording_id sequence first_us last_us count codec_version crc32 blob"),
    _line("view_event", "reading_id time_us kind tile image_id image_width image_height frame a b "
          "c d tx ty tile_x tile_y tile_width tile_height window_center window_width inverted "
          "flipped_horizontally flipped_vertically rotation_deg screen"),
    _line("annotation", "reading_id image_id time_us kind label x_image y_image width_image "
          "height_image spread_image undone_us details"),
    _line("training_run", "name config state cohort_fingerprint similarity_run_id metrics_path "
          "checkpoint_path encoder_path report_path started_utc ended_utc message details"),
    _line("edit", "number time_utc station subject row_id what value"),
    _line("receipt", "station subject"),
    _line("seal_key", "public created_utc station"),
    _line("seal_head", "station chain number hash time_utc"),
)  # fmt: skip

COMPUTED = {
    "fixation": "*",
    "gaze_event": "*",
    "similarity_run": "*",
    "neighbour": "*",
    "recording": "measured_rate_hz sample_count lost_count",
    "reading": "sample_count lost_count missing_count invalid_count loss off_image verdict "
    "verdict_reasons",
}
"""Computed from the rest, and can be computed again; all columns of a table: `*`. Not sealed."""

OWN = "seal"
"""The chain itself, whose links are protected by their hashes."""


@cache
def columns_of(table: str, version: int) -> tuple[str, ...]:
    """Return the sealed columns of a table at a version of the registry; empty if it has none."""
    lines = [s for s in REGISTRY if s.table == table and s.since <= version]
    return max(lines, key=lambda line: line.since).columns if lines else ()


def sealed_tables() -> tuple[str, ...]:
    """Return the tables that have sealed columns, in the order of the registry."""
    return tuple(dict.fromkeys(line.table for line in REGISTRY))
