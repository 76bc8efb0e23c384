"""A study that two readers have read in part: phantoms imported as files, gaze stored as rows.

A simulated reader at work gives other samples at each run; these come from a seed.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from app.demo.phantoms import read_truth, write_cohort
from app.hanging.grouping import Arrival, hang_cases
from app.images.importing.importer import import_paths
from app.recording.recovery import close_open_rows
from devices.gaze.chunks import CODEC_VERSION, encode_chunk
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.samples import empty_samples
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import (
    Annotation,
    Calibration,
    CaseImage,
    GazeChunk,
    Image,
    Reader,
    Reading,
    Recording,
    Session,
    StudyCase,
    ViewEvent,
    new_id,
    utc_text,
)
from migrations.study.settings import StudySettings
from tests.app.screenshots.fixed import BEGIN

FILES = 48
SCREEN = ScreenGeometry(1440, 900, 518, 324, 650.0, "taped")
SETTINGS = StudySettings(
    name="Breast masses",
    question="What do you see?",
    classes=("normal", "mass", "spiculated", "calcification"),
    order="fixed",
    annotations=("box", "note", "confidence"),
    incidental_contact="the chief resident",
    break_after_cases=0,
    drift_every_cases=0,
    absence_s=0,
    trial=True,
)
_STEP_US, _GAP_US = 10_000, 3_000_000
_ROOM = (1440.0, 760.0)
"""Of the images on the screen; the strip lies below."""


@dataclass(frozen=True)
class _Shown:
    """An image of a case on the screen, with the places that draw the eye, in image pixels."""

    image: Image
    view: TileView
    places: tuple[tuple[float, float], ...]


def make_study(folder: Path) -> Study:
    """Import the phantoms, and store what two readers did with most of them."""
    cohort = write_cohort(folder.with_name("source"), FILES, 3, real=False)
    study = Study.create(folder, SETTINGS, durable=False)
    import_paths(study, cohort.paths, labels=cohort.labels)
    _hang_four_views(study)
    found = read_truth(cohort.truth)
    with study.database.read() as rows:
        cases = list(rows.scalars(select(StudyCase).order_by(StudyCase.position)))
        images = {case.id: _images_of(rows, case.id) for case in cases}
    lesions = {
        image.id: tuple((f.x, f.y) for f in found.get(image.sha256, ()))
        for shown in images.values()
        for image in shown
    }
    # The first reader has yet to read the mammography, which stands first, and the last cases.
    for number, (reader, read) in enumerate((("R1", cases[1:-3]), ("R2", cases))):
        _sit(study, reader, number, [(case, images[case.id]) for case in read], lesions)
    close_open_rows(study.database)
    return study


def _hang_four_views(study: Study) -> None:
    """Join the four views of one patient into the first case."""
    with study.database.read() as rows:
        images = list(rows.scalars(select(Image).order_by(Image.import_number)))
    groups: dict[str, dict[object, str]] = {}
    for image in images:
        views = groups.setdefault(image.source_group, {})
        if image.laterality and image.view:
            views.setdefault((image.laterality, image.view), image.id)
    four = next(list(views.values()) for views in groups.values() if len(views) == 4)
    hang_cases(study, [Arrival(i, "mammography") for i in four], "mammo")
    with study.database.write() as rows:
        joined = rows.scalars(select(CaseImage.case_id).where(CaseImage.image_id == four[0])).one()
        cases = rows.scalars(select(StudyCase).order_by(StudyCase.position)).all()
        for position, case in enumerate(sorted(cases, key=lambda case: case.id != joined)):
            case.position = position


def _images_of(rows, case_id: str) -> list[Image]:
    query = (
        select(Image)
        .join(CaseImage, CaseImage.image_id == Image.id)
        .where(CaseImage.case_id == case_id)
        .order_by(CaseImage.tile)
    )
    return list(rows.scalars(query))


def _sit(study: Study, pseudonym: str, number: int, cases, lesions) -> None:
    """Store one session: its calibration, and a reading of each case."""
    rng = np.random.default_rng([7, number])
    begun = utc_text(BEGIN + timedelta(days=number, hours=1))
    with study.database.write() as rows:
        reader = Reader(id=new_id(), pseudonym=pseudonym, consent_utc=begun)
        session = Session(
            id=new_id(), reader_id=reader.id, station="station-1", software_version="0.2.0",
            started_utc=begun, zero_utc=begun, tracker_id="simulated", tracker_kind="simulated",
            tracker_model="Simulated reader", tracker_serial="", tracker_rate_hz=100.0,
            screen=SCREEN.as_dict(), screen_width_mm=518, screen_height_mm=324, refresh_hz=60,
            distance_mm=650, distance_source="taped", case_order=[case.id for case, _ in cases],
        )  # fmt: skip
        recording = Recording(id=new_id(), session_id=session.id, started_us=0)
        rows.add(reader)
        rows.flush()
        rows.add(session)
        rows.flush()
        rows.add_all([recording, _calibration(session.id, 0.48 + 0.15 * number)])
        time_us = _GAP_US
        for case, images in cases:
            time_us = _read(rows, session, recording.id, case, images, lesions, time_us, rng)


def _calibration(session_id: str, accuracy_deg: float) -> Calibration:
    return Calibration(
        session_id=session_id, kind="validation", status="success", started_us=0, ended_us=1,
        points=[], accuracy_deg=accuracy_deg, precision_rms_deg=0.12, precision_sd_deg=0.2,
        loss=0.02,
    )  # fmt: skip


def _read(rows, session, recording_id, case, images, lesions, begun_us, rng) -> int:
    """Store one reading; return when the next may begin."""
    shown = _hang(images, lesions, begun_us)
    points = _path(shown, rng)
    samples = empty_samples(len(points))
    samples["host_us"] = begun_us + _STEP_US * np.arange(len(points))
    for side in ("left", "right"):
        noisy = points + rng.normal(0, 2.0, points.shape)
        samples[f"{side}_x_norm"], samples[f"{side}_y_norm"] = SCREEN.screen_to_norm(noisy).T
    lost = rng.random(len(points)) < rng.uniform(0.0, 0.06)
    for name in ("left_x_norm", "left_y_norm", "right_x_norm", "right_y_norm"):
        samples[name][lost] = np.nan
    ended_us = begun_us + _STEP_US * len(points)
    reading = Reading(
        id=new_id(), session_id=session.id, case_id=case.id, reader_id=session.reader_id,
        state="finished", started_us=begun_us, ended_us=ended_us,
    )  # fmt: skip
    rows.add(reading)
    rows.flush()
    for place in shown:
        rows.add(ViewEvent(reading_id=reading.id, screen=SCREEN.as_dict(), **place.view.as_row()))
    sequence = begun_us // _STEP_US
    for k, part in enumerate(np.array_split(samples, 4)):
        rows.add(_chunk(part, recording_id, sequence + k))
    label = images[0].label if rng.random() < 0.6 else str(rng.choice(SETTINGS.classes))
    rows.add(Annotation(reading_id=reading.id, image_id=None, kind="class", label=label,
                        time_us=ended_us - _STEP_US))  # fmt: skip
    return ended_us + _GAP_US


def _chunk(part: NDArray[np.void], recording_id: str, sequence: int) -> GazeChunk:
    blob = encode_chunk(part)
    return GazeChunk(
        recording_id=recording_id, sequence=sequence, first_us=int(part["host_us"][0]),
        last_us=int(part["host_us"][-1]), count=len(part), codec_version=CODEC_VERSION,
        crc32=zlib.crc32(blob), blob=blob,
    )  # fmt: skip


def _hang(images: Sequence[Image], lesions, time_us: int) -> list[_Shown]:
    """Lay one image over the whole room, several over its quarters."""
    across = 1 if len(images) == 1 else 2
    width, height = _ROOM[0] / across, _ROOM[1] / across
    shown = []
    for tile, image in enumerate(images):
        left, top = width * (tile % across), height * (tile // across)
        scale = min(width / image.columns, height / image.rows)
        x = left + (width - scale * image.columns) / 2
        y = top + (height - scale * image.rows) / 2
        view = TileView(
            time_us=time_us, kind="open", tile=tile, image_id=image.id,
            image_width=image.columns, image_height=image.rows,
            transform=Affine(scale, 0, 0, scale, x, y), rect_screen=(left, top, width, height),
        )  # fmt: skip
        middle = ((image.columns * 0.5, image.rows * 0.5),)
        shown.append(_Shown(image, view, lesions[image.id] or middle))
    return shown


def _path(shown: Sequence[_Shown], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return where the eyes are, (N, 2) on the screen: a search that comes back to the lesion."""
    stays: list[NDArray[np.float64]] = []
    for place in shown:
        size = np.array([place.image.columns, place.image.rows])
        visits = 26 if len(shown) == 1 else 9
        for visit in range(visits):
            back = visit % 3 == 2
            lesion = np.array(place.places[visit % len(place.places)])
            at = lesion if back else size * rng.uniform((0.22, 0.15), (0.78, 0.85))
            at = at + rng.normal(0, 0.02, 2) * size
            on_screen = place.view.transform.map(np.clip(at, 1, size - 2)[None])[0]
            length = int(rng.integers(18, 48) * (1.5 if back else 1.0))
            if stays:
                stays.append(np.linspace(stays[-1][-1], on_screen, 5)[1:-1])
            stays.append(np.repeat(on_screen[None], length, axis=0))
    return np.concatenate(stays)
