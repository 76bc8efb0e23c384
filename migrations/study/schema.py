"""The tables. Times `*_us` are host-clock microseconds of the session, `*_utc` ISO 8601 in UTC.

Every row has a time-ordered UUID made where it is born, so that stations can be merged. Frames and
units are suffixes, as everywhere: `_image`, `_screen`, `_deg`, `_mm`, `_hz`.
"""

import os
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from migrations.study.clean_text import CleanText, name_columns

Json = dict[str, Any]


_STEP_NS = 250
"""Slightly more than what the fraction of a millisecond in an id can resolve."""
RANDOM_MASK = (1 << 62) - 1
"""The bits of an id that neither time nor version determine: the last 62."""
_order = threading.Lock()
_latest_ns = 0


def ids_after(id_: str) -> None:
    """Make every id from now on sort after this one, even if the computer's clock was set back."""
    global _latest_ns
    value = uuid.UUID(id_).int
    milliseconds, fraction = value >> 80, (value >> 64) & 0xFFF
    with _order:
        _latest_ns = max(_latest_ns, milliseconds * 1_000_000 + (fraction * 1_000_000 >> 12))


def _next_ns() -> int:
    """Return the time, but always later than at any earlier call, whatever happens to the clock."""
    global _latest_ns
    with _order:
        _latest_ns = max(time.time_ns(), _latest_ns + _STEP_NS)
        return _latest_ns


def new_id(*, named_as: str | None = None) -> str:
    """Return a time-ordered UUID (version 7, RFC 9562) as text, later than all earlier ones.

    Parameters
    ----------
    named_as
        The id of another kind of row that should have the same name (`migrations.study.names`): its
        random part is used.
    """
    milliseconds, rest_ns = divmod(_next_ns(), 1_000_000)
    fraction = (rest_ns << 12) // 1_000_000  # orders ids within a millisecond (method 3)
    random = int.from_bytes(os.urandom(8), "big") if named_as is None else uuid.UUID(named_as).int
    head = (milliseconds << 80) | (0x7 << 76) | (fraction << 64) | (0x2 << 62)
    value = head | (random & RANDOM_MASK)
    return str(uuid.UUID(int=value))


def utc_now() -> str:
    """Return this instant as ISO 8601 text in UTC, microseconds and a trailing Z."""
    return utc_text(datetime.now(UTC))


def utc_text(instant: datetime) -> str:
    """Return an instant as ISO 8601 text in UTC, microseconds and a trailing Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Base(DeclarativeBase):
    """Parent of all tables; constraints have fixed names so that both engines can alter them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        Json: JSON,
        list[Any]: JSON,
        str: CleanText,
        bytes: LargeBinary,
    }

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id, sort_order=-1)


def _reference(column: str, *, index: bool = True, nullable: bool = False) -> Any:
    return mapped_column(String(36), ForeignKey(column), index=index, nullable=nullable)


def _time() -> Any:
    return mapped_column(BigInteger)


class Reader(Base):
    """A person who reads: a pseudonym only."""

    __tablename__ = "reader"
    pseudonym: Mapped[str] = mapped_column(unique=True)
    created_utc: Mapped[str] = mapped_column(default=utc_now)
    consent_utc: Mapped[str | None]
    consent_text_sha256: Mapped[str | None]
    details: Mapped[Json] = mapped_column(default=dict)


class Image(Base):
    """A de-identified image of the study; its pixels lie in `images/<id>/`.

    `sha256` is the hash of the stored values as a C-order array in pydicom's `pixel_array` dtype;
    `source_group` is a salted hash shared by the images of one patient. The unique constraint
    covers everything that identifies an image; `dtype` ("uint16") is None for images that came to a
    server before Foveate stored it.
    """

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint(
            "sha256", "rows", "columns", "frames", "dtype", "photometric", "source_group",
            name="uq_image_identity",
        ),
    )  # fmt: skip
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    columns: Mapped[int]
    frames: Mapped[int] = mapped_column(default=1)
    bits: Mapped[int]
    photometric: Mapped[str]
    source_format: Mapped[str]
    transfer_syntax: Mapped[str | None]
    lossy: Mapped[bool] = mapped_column(default=False)
    modality: Mapped[str | None]
    body_part: Mapped[str | None]
    laterality: Mapped[str | None]
    view: Mapped[str | None]
    row_spacing_mm: Mapped[float | None]
    column_spacing_mm: Mapped[float | None]
    for_processing: Mapped[bool] = mapped_column(default=False)
    burned_in: Mapped[str] = mapped_column(default="unknown")
    cleared_by: Mapped[str | None]
    source_group: Mapped[str] = mapped_column(index=True)
    label: Mapped[str | None]
    split: Mapped[str | None]
    import_number: Mapped[int]
    imported_utc: Mapped[str] = mapped_column(default=utc_now)
    details: Mapped[Json] = mapped_column(default=dict)
    dtype: Mapped[str | None]


class StudyCase(Base):
    """What is read at once: one or more images and how they hang; `sheet` says more about it."""

    __tablename__ = "study_case"
    name: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    hanging: Mapped[str] = mapped_column(default="one-up")
    practice: Mapped[bool] = mapped_column(default=False)
    created_utc: Mapped[str] = mapped_column(default=utc_now)
    sheet: Mapped[Json | None]


class CaseImage(Base):
    """Which image hangs in which tile of a case."""

    __tablename__ = "case_image"
    __table_args__ = (UniqueConstraint("case_id", "tile"),)
    case_id: Mapped[str] = _reference("study_case.id")
    image_id: Mapped[str] = _reference("image.id")
    tile: Mapped[int] = mapped_column(default=0)


class Session(Base):
    """One sitting of one reader at one station."""

    __tablename__ = "session"
    reader_id: Mapped[str] = _reference("reader.id")
    station: Mapped[str]
    software_version: Mapped[str]
    started_utc: Mapped[str]
    ended_utc: Mapped[str | None]
    zero_utc: Mapped[str]
    clock_speed: Mapped[float] = mapped_column(default=1.0)
    tracker_id: Mapped[str]
    tracker_kind: Mapped[str]
    tracker_model: Mapped[str]
    tracker_serial: Mapped[str]
    tracker_rate_hz: Mapped[float | None]
    screen: Mapped[Json]
    screen_width_mm: Mapped[float]
    screen_height_mm: Mapped[float]
    refresh_hz: Mapped[float]
    distance_mm: Mapped[float]
    distance_source: Mapped[str]
    eye: Mapped[str] = mapped_column(default="both")
    order_seed: Mapped[int | None] = mapped_column(BigInteger)
    case_order: Mapped[list[Any]]
    details: Mapped[Json] = mapped_column(default=dict)


class Calibration(Base):
    """A calibration or a validation of a session; degrees of visual angle."""

    __tablename__ = "calibration"
    session_id: Mapped[str] = _reference("session.id")
    kind: Mapped[str]
    status: Mapped[str]
    started_us: Mapped[int] = _time()
    ended_us: Mapped[int] = _time()
    points: Mapped[list[Any]]
    accuracy_deg: Mapped[float | None]
    accuracy_left_deg: Mapped[float | None]
    accuracy_right_deg: Mapped[float | None]
    precision_rms_deg: Mapped[float | None]
    precision_rms_left_deg: Mapped[float | None]
    precision_rms_right_deg: Mapped[float | None]
    precision_sd_deg: Mapped[float | None]
    precision_sd_left_deg: Mapped[float | None]
    precision_sd_right_deg: Mapped[float | None]
    loss: Mapped[float | None]
    loss_left: Mapped[float | None]
    loss_right: Mapped[float | None]
    device_data: Mapped[bytes | None]


class Recording(Base):
    """One continuous device stream, from connection on; `state` open, closed or interrupted."""

    __tablename__ = "recording"
    session_id: Mapped[str] = _reference("session.id")
    state: Mapped[str] = mapped_column(default="open")
    started_us: Mapped[int] = _time()
    ended_us: Mapped[int | None] = _time()
    nominal_rate_hz: Mapped[float | None]
    measured_rate_hz: Mapped[float | None]
    sample_count: Mapped[int] = mapped_column(BigInteger, default=0)
    lost_count: Mapped[int] = mapped_column(BigInteger, default=0)
    events: Mapped[list[Any]] = mapped_column(default=list)


class Reading(Base):
    """One case read once; `state` open, finished, interrupted or abandoned.

    `lost_count`: samples missing between the time stamps; `missing_count`: samples that were due
    and never came, including those before the first and after the last; `invalid_count`: those
    without gaze. `loss`: share of the expected samples that is missing or invalid.
    """

    __tablename__ = "reading"
    session_id: Mapped[str] = _reference("session.id")
    case_id: Mapped[str] = _reference("study_case.id")
    reader_id: Mapped[str] = _reference("reader.id")
    resumes_id: Mapped[str | None] = _reference("reading.id", index=False, nullable=True)
    state: Mapped[str] = mapped_column(default="open", index=True)
    practice: Mapped[bool] = mapped_column(default=False)
    started_us: Mapped[int] = _time()
    ended_us: Mapped[int | None] = _time()
    sample_count: Mapped[int | None] = mapped_column(BigInteger)
    lost_count: Mapped[int | None] = mapped_column(BigInteger)
    missing_count: Mapped[int | None] = mapped_column(BigInteger)
    invalid_count: Mapped[int | None] = mapped_column(BigInteger)
    loss: Mapped[float | None]
    off_image: Mapped[float | None]
    verdict: Mapped[str | None]
    verdict_reasons: Mapped[list[Any]] = mapped_column(default=list)
    details: Mapped[Json] = mapped_column(default=dict)
    arm_id: Mapped[str | None] = _reference("arm.id", nullable=True)


class Question(Base):
    """A question as it was asked (`migrations.study.forms`); a changed question is a new row."""

    __tablename__ = "question"
    key: Mapped[str] = mapped_column(index=True)
    text: Mapped[str]
    scope: Mapped[str]
    kind: Mapped[str]
    options: Mapped[list[Any]]
    condition: Mapped[str]
    position: Mapped[int]
    created_utc: Mapped[str] = mapped_column(default=utc_now)


class Answer(Base):
    """What a reader answered; undone answers stay. `value` as `forms.checked_value` returns it.

    `annotation_id`: for an answer about a mark, the mark; for the leading question, the class
    annotation written with it.
    """

    __tablename__ = "answer"
    reading_id: Mapped[str] = _reference("reading.id")
    question_id: Mapped[str] = _reference("question.id")
    annotation_id: Mapped[str | None] = _reference("annotation.id", nullable=True)
    time_us: Mapped[int] = _time()
    value: Mapped[str]
    undone_us: Mapped[int | None] = _time()


class Arm(Base):
    """A condition of reading as it was in force; a changed condition is a new row."""

    __tablename__ = "arm"
    key: Mapped[str] = mapped_column(index=True)
    conditions: Mapped[Json]
    position: Mapped[int]
    created_utc: Mapped[str] = mapped_column(default=utc_now)


class Assignment(Base):
    """A case that a reader is to read, its arm and its position; `period` counts from 0."""

    __tablename__ = "assignment"
    reader_id: Mapped[str] = _reference("reader.id")
    case_id: Mapped[str] = _reference("study_case.id")
    arm_id: Mapped[str | None] = _reference("arm.id", nullable=True)
    period: Mapped[int]
    position: Mapped[int]
    created_utc: Mapped[str] = mapped_column(default=utc_now)


class GazeChunk(Base):
    """250 ms of raw samples; decode with `devices.gaze.chunks.decode_chunk`. Never rewritten."""

    __tablename__ = "gaze_chunk"
    __table_args__ = (
        UniqueConstraint("recording_id", "sequence"),
        Index("ix_gaze_chunk_recording_id_first_us", "recording_id", "first_us"),
    )
    recording_id: Mapped[str] = _reference("recording.id", index=False)
    sequence: Mapped[int]
    first_us: Mapped[int] = _time()
    last_us: Mapped[int] = _time()
    count: Mapped[int]
    codec_version: Mapped[int]
    crc32: Mapped[int] = mapped_column(BigInteger)
    blob: Mapped[bytes]


class Fixation(Base):
    """One fixation of a reading, as the filter found it."""

    __tablename__ = "fixation"
    __table_args__ = (Index("ix_fixation_reading_id_start_us", "reading_id", "start_us"),)
    reading_id: Mapped[str] = _reference("reading.id", index=False)
    image_id: Mapped[str | None] = _reference("image.id", nullable=True)
    frame: Mapped[int] = mapped_column(default=0)
    start_us: Mapped[int] = _time()
    duration_us: Mapped[int] = _time()
    x_image: Mapped[float | None]
    y_image: Mapped[float | None]
    x_deg: Mapped[float]
    y_deg: Mapped[float]
    dispersion_deg: Mapped[float]
    sample_count: Mapped[int]
    spans_view_change: Mapped[bool] = mapped_column(default=False)
    algorithm: Mapped[str]
    parameters_hash: Mapped[str]


class GazeEvent(Base):
    """A saccade, pursuit or blink of a reading, as the filter found it.

    Image and frame are those the gaze was on at its end.
    """

    __tablename__ = "gaze_event"
    __table_args__ = (Index("ix_gaze_event_reading_id_start_us", "reading_id", "start_us"),)
    reading_id: Mapped[str] = _reference("reading.id", index=False)
    image_id: Mapped[str | None] = _reference("image.id", nullable=True)
    frame: Mapped[int] = mapped_column(default=0)
    kind: Mapped[str]
    start_us: Mapped[int] = _time()
    duration_us: Mapped[int] = _time()
    amplitude_deg: Mapped[float | None]
    peak_velocity_deg_s: Mapped[float | None]
    algorithm: Mapped[str]
    parameters_hash: Mapped[str]


class ViewEvent(Base):
    """A change of what the reader sees; a..ty map `_image` to `_screen` (`devices.gaze.view`)."""

    __tablename__ = "view_event"
    __table_args__ = (Index("ix_view_event_reading_id_time_us", "reading_id", "time_us"),)
    reading_id: Mapped[str] = _reference("reading.id", index=False)
    time_us: Mapped[int] = _time()
    kind: Mapped[str]
    tile: Mapped[int]
    image_id: Mapped[str] = _reference("image.id", index=False)
    image_width: Mapped[int]
    image_height: Mapped[int]
    frame: Mapped[int]
    a: Mapped[float]
    b: Mapped[float]
    c: Mapped[float]
    d: Mapped[float]
    tx: Mapped[float]
    ty: Mapped[float]
    tile_x: Mapped[float]
    tile_y: Mapped[float]
    tile_width: Mapped[float]
    tile_height: Mapped[float]
    window_center: Mapped[float | None]
    window_width: Mapped[float | None]
    inverted: Mapped[bool]
    flipped_horizontally: Mapped[bool]
    flipped_vertically: Mapped[bool]
    rotation_deg: Mapped[int]
    screen: Mapped[Json | None]


class Annotation(Base):
    """What the reader said: class label, box, keypoint or note; undone ones stay."""

    __tablename__ = "annotation"
    reading_id: Mapped[str] = _reference("reading.id")
    image_id: Mapped[str | None] = _reference("image.id", index=False, nullable=True)
    time_us: Mapped[int] = _time()
    kind: Mapped[str]
    label: Mapped[str | None]
    x_image: Mapped[float | None]
    y_image: Mapped[float | None]
    width_image: Mapped[float | None]
    height_image: Mapped[float | None]
    spread_image: Mapped[float | None]
    undone_us: Mapped[int | None] = _time()
    details: Mapped[Json] = mapped_column(default=dict)


class SimilarityRun(Base):
    """One computation of how similar the gaze of a cohort's readings is."""

    __tablename__ = "similarity_run"
    measure: Mapped[str]
    parameters: Mapped[Json]
    cohort_fingerprint: Mapped[str]
    image_count: Mapped[int]
    valid_share: Mapped[float]
    threshold: Mapped[float | None]
    positive_rate: Mapped[float | None]
    matrix_path: Mapped[str | None]
    seconds: Mapped[float]
    created_utc: Mapped[str] = mapped_column(default=utc_now)
    details: Mapped[Json] = mapped_column(default=dict)


class Neighbour(Base):
    """One of the images most similar to another by gaze."""

    __tablename__ = "neighbour"
    similarity_run_id: Mapped[str] = _reference("similarity_run.id")
    image_id: Mapped[str] = _reference("image.id")
    neighbour_id: Mapped[str] = _reference("image.id", index=False)
    measure: Mapped[str]
    value: Mapped[float]


class TrainingRun(Base):
    """One pre-training; `state` running, stopped, finished or failed; paths in the study."""

    __tablename__ = "training_run"
    name: Mapped[str]
    config: Mapped[Json]
    state: Mapped[str]
    cohort_fingerprint: Mapped[str]
    similarity_run_id: Mapped[str | None] = _reference(
        "similarity_run.id", index=False, nullable=True
    )
    metrics_path: Mapped[str]
    checkpoint_path: Mapped[str | None]
    encoder_path: Mapped[str | None]
    report_path: Mapped[str | None]
    started_utc: Mapped[str] = mapped_column(default=utc_now)
    ended_utc: Mapped[str | None]
    message: Mapped[str | None]
    details: Mapped[Json] = mapped_column(default=dict)


class Audit(Base):
    """Append-only: who (a pseudonym) did what, when and why. Triggers refuse to change a row."""

    __tablename__ = "audit"
    time_utc: Mapped[str] = mapped_column(default=utc_now)
    station: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[Json] = mapped_column(default=dict)
    person: Mapped[str | None]
    reason: Mapped[str | None]


class Seal(Base):
    """A link of the chain that `db check` follows (`migrations.study.seal`)."""

    __tablename__ = "seal"
    number: Mapped[int] = mapped_column(BigInteger, unique=True)
    body: Mapped[bytes]
    hash: Mapped[bytes]
    signature: Mapped[bytes]


class SealKey(Base):
    """The public half of a key that signs the chain (Ed25519, 32 bytes)."""

    __tablename__ = "seal_key"
    public: Mapped[bytes]
    created_utc: Mapped[str] = mapped_column(default=utc_now)
    station: Mapped[str]


class SealHead(Base):
    """The last seal of a study that a station sent; only a server has such rows."""

    __tablename__ = "seal_head"
    station: Mapped[str]
    chain: Mapped[str] = mapped_column(String(32), index=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))
    time_utc: Mapped[str] = mapped_column(default=utc_now)


class Edit(Base):
    """A change to something sent to a server before; the server applies changes in its order.

    Only a server has such rows: `number` is the order, `time_utc` the server's clock, `station` the
    role that sent it (`migrations.study.sync.edits`).
    """

    __tablename__ = "edit"
    number: Mapped[int | None] = mapped_column(BigInteger)
    time_utc: Mapped[str | None]
    station: Mapped[str | None]
    subject: Mapped[str]
    row_id: Mapped[str] = mapped_column(String(36), index=True)
    what: Mapped[str]
    value: Mapped[Any] = mapped_column(JSON)


class Receipt(Base):
    """Record that a server has something completely, by digest and role; only on a server."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("station", "subject"),)
    station: Mapped[str]
    subject: Mapped[str] = mapped_column(String(64))


name_columns(Base.metadata.tables.values())
