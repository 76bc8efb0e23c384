"""From a study to the gaze that is analysed: all of it recomputed from stored samples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from devices.gaze.errors import GazeError
from devices.gaze.fixations import FilterParameters, Fixation, GazeEvent, detect_events
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.stored import StoredGaze, points_of
from devices.gaze.view import CLOSED
from migrations.study.folder import Study
from migrations.study.names import Names, names_of
from migrations.study.schema import Arm, Calibration, CaseImage, Reader, Reading
from migrations.study.schema import Session as SessionRow
from migrations.study.stored_reading import stored_reading, validation_before
from trainer.analysis.looked import FloatArray, IntArray, Looked
from trainer.data.chains import Dropped, chains_of
from trainer.errors import AnalysisError, Cancelled


@dataclass(frozen=True, slots=True)
class StudyGaze:
    """The gaze of a study.

    Attributes
    ----------
    looks
        Each reading on each of its images.
    residuals_deg
        By reading: gaze less target of the validation in force (R, 2); none where there was none.
    dropped, damaged
        Readings that were left out, and chunks that could not be read.
    images
        Names of the study's images.
    unseen
        Reading and image, for each image of a reading's case that was never shown.
    """

    looks: tuple[Looked, ...]
    residuals_deg: Mapping[str, FloatArray]
    dropped: tuple[Dropped, ...]
    damaged: tuple[Dropped, ...]
    images: Names
    unseen: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """One uninterrupted part of a reading, its events found anew; times from `shift_us` on."""

    gaze: StoredGaze
    fixations: Sequence[Fixation]
    events: Sequence[GazeEvent]
    shift_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class _About:
    """What is known of a reading beside its gaze."""

    reading: str
    reader: str
    arm: str
    accuracy_deg: float
    image_ids: tuple[str, ...]


def gaze_of_study(
    study: Study,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> StudyGaze:
    """Return the gaze of every reading that counts, a short transaction for each.

    Raises
    ------
    AnalysisError
        No reading counts.
    Cancelled
        Soon after the work was cancelled.
    """
    chains = chains_of(study)
    with study.database.read() as rows:
        images, readings = names_of(rows, "image"), names_of(rows, "reading")
    looks, residuals = list[Looked](), dict[str, FloatArray]()
    dropped, damaged = list(chains.unfinished), list[Dropped]()
    unseen = list[tuple[str, str]]()
    for done, chain in enumerate(chains.whole, start=1):
        if cancelled():
            raise Cancelled("Stopped while reading the study.")
        name = readings[chain[-1].id]
        reason = chains.refusal(chain, trial=study.settings.trial)
        if reason is None:
            try:
                about, parts, found = _load(study, chain, name)
            except (GazeError, ZeroDivisionError) as error:
                reason = f"its gaze cannot be read: {error}"
            else:
                looks += _looks(about, parts, images)
                damaged += [Dropped("chunk", name, str(c)) for p in parts for c in p.gaze.damaged]
                shown = {id_ for part in parts for id_ in part.gaze.image_ids}
                unseen += [(name, images[id_]) for id_ in about.image_ids if id_ not in shown]
                if found is not None:
                    residuals[name] = found
        if reason is not None:
            dropped.append(Dropped("reading", name, reason))
        progress(done, len(chains.whole))
    if not looks:
        raise AnalysisError(_nothing(dropped))
    return StudyGaze(tuple(looks), residuals, tuple(dropped), tuple(damaged), images, tuple(unseen))


def _nothing(dropped: Sequence[Dropped]) -> str:
    reasons = dict.fromkeys(d.reason for d in dropped)
    why = f": {'; '.join(list(reasons)[:3])}" if reasons else ""
    return f"No reading of this study counts{why}."


def _load(
    study: Study, chain: Sequence[Reading], name: str
) -> tuple[_About, list[_Part], FloatArray | None]:
    parts, elapsed = list[_Part](), 0
    with study.database.read() as rows:
        last = chain[-1]
        reader = rows.get_one(Reader, last.reader_id).pseudonym
        arm = rows.get_one(Arm, last.arm_id).key if last.arm_id else ""
        of_case = select(CaseImage.image_id).where(CaseImage.case_id == last.case_id)
        image_ids = tuple(rows.scalars(of_case.order_by(CaseImage.tile)))
        validation = validation_before(rows, last)
        for reading in chain:
            sitting = rows.get_one(SessionRow, reading.session_id)
            parameters = FilterParameters(**sitting.details.get("fixation_parameters", {}))
            gaze = points_of(stored_reading(rows, reading.id))
            ended_us = reading.ended_us or reading.started_us
            x_deg, y_deg = gaze.points_deg.T
            fixations, events = detect_events(gaze.time_us, x_deg, y_deg, parameters)
            shift = elapsed - reading.started_us
            parts.append(_Part(gaze, fixations, events, shift, ended_us))
            elapsed += ended_us - reading.started_us
    accuracy = validation.accuracy_deg if validation else None
    about = _About(name, reader, arm, np.nan if accuracy is None else accuracy, image_ids)
    geometry = parts[-1].gaze.screens.at(chain[-1].started_us) if parts else None
    return about, parts, _residuals(validation, geometry)


def _residuals(
    validation: Calibration | None, geometry: ScreenGeometry | None
) -> FloatArray | None:
    """Return gaze less target of each target that was seen, degrees; None of none."""
    if validation is None or geometry is None:
        return None
    seen = [p for p in validation.points if p.get("gaze_x_norm") is not None]
    if not seen:
        return None
    gaze = geometry.norm_to_deg([[p["gaze_x_norm"], p["gaze_y_norm"]] for p in seen])
    target = geometry.norm_to_deg([[p["x_norm"], p["y_norm"]] for p in seen])
    return np.asarray(gaze - target, np.float64)


def _looks(about: _About, parts: Sequence[_Part], images: Names) -> Iterable[Looked]:
    for image_id in dict.fromkeys(i for part in parts for i in part.gaze.image_ids):
        yield _look(about, [p for p in parts if image_id in p.gaze.image_ids], image_id, images)


def _look(about: _About, parts: Sequence[_Part], image_id: str, images: Names) -> Looked:
    """Return a reading's gaze on one image, from all parts that showed it."""
    fixations = [row for part in parts for row in _fixations(part, image_id)]
    saccades = [row for part in parts for row in _saccades(part, image_id)]
    blinks = [row for part in parts for row in _blinks(part, image_id)]
    shown = [view for part in parts for view in _views(part, image_id)]
    view = next(v for v in parts[0].gaze.views.views if v.image_id == image_id)
    start, duration, x, y, frame, scale = _columns(fixations, 6)
    begins, amplitude, velocity = _columns(saccades, 3)
    return Looked(
        about.reading, about.reader, images[image_id], about.arm, view.image_width,
        view.image_height, shown[0][0], _left_us(parts[-1], image_id),
        start.astype(np.int64), duration.astype(np.int64), np.column_stack([x, y]),
        frame.astype(np.int64), scale, begins.astype(np.int64), amplitude, velocity,
        len(blinks), sum(blinks), _pupil_mm(parts, image_id),
        np.array([t for t, _ in shown], np.int64), np.array([f for _, f in shown], np.int64),
        about.accuracy_deg,
    )  # fmt: skip


def _columns(rows: Sequence[tuple[float, ...]], count: int) -> FloatArray:
    return np.array(rows, np.float64).reshape(-1, count).T


def _fixations(part: _Part, image_id: str) -> Iterable[tuple[float, ...]]:
    gaze = part.gaze
    places = gaze.places_of(part.fixations)
    firsts = np.searchsorted(gaze.time_us, [each.start_us for each in part.fixations])
    ends = np.searchsorted(gaze.time_us, [each.end_us + 1 for each in part.fixations])
    for each, place, first, end in zip(part.fixations, places, firsts, ends, strict=True):
        if place.image_id != image_id or place.x_image is None or place.y_image is None:
            continue
        scale = gaze.image_px_per_deg[first:end]
        known = scale[np.isfinite(scale)]
        yield (
            each.start_us + part.shift_us, each.duration_us, place.x_image, place.y_image,
            place.frame, known.mean() if len(known) else np.nan,
        )  # fmt: skip


def _saccades(part: _Part, image_id: str) -> Iterable[tuple[float, ...]]:
    for each in _events(part, "saccade", image_id):
        amplitude, velocity = each.amplitude_deg, each.peak_velocity_deg_s
        yield (
            each.start_us + part.shift_us,
            np.nan if amplitude is None else amplitude,
            np.nan if velocity is None else velocity,
        )


def _blinks(part: _Part, image_id: str) -> Iterable[int]:
    return (each.duration_us for each in _events(part, "blink", image_id))


def _events(part: _Part, kind: str, image_id: str) -> list[GazeEvent]:
    """Return the events of a kind whose end fell on an image."""
    found = [each for each in part.events if each.kind == kind]
    where = part.gaze.images_at([each.end_us for each in found])
    return [each for each, (image, _) in zip(found, where, strict=True) if image == image_id]


def _views(part: _Part, image_id: str) -> Iterable[tuple[int, int]]:
    """Yield from when on which frame of an image was shown."""
    for view in part.gaze.views.views:
        if view.image_id == image_id:
            yield view.time_us + part.shift_us, view.frame


def _left_us(part: _Part, image_id: str) -> int:
    """Return when an image was last taken off the screen, the part's end where it stayed."""
    on_tile, left = dict[int, str](), part.end_us
    for view in part.gaze.views.views:
        was = on_tile.pop(view.tile, None)
        if view.kind != CLOSED:
            on_tile[view.tile] = view.image_id
        if was == image_id:
            left = view.time_us
    stayed = image_id in on_tile.values()
    return (part.end_us if stayed else left) + part.shift_us


def _pupil_mm(parts: Sequence[_Part], image_id: str) -> float:
    """Return the mean pupil of both eyes over samples on the image; NaN where none tells it."""
    values = [
        part.gaze.samples[name][part.gaze.image_id == image_id]
        for part in parts
        for name in ("left_pupil_mm", "right_pupil_mm")
    ]
    known = np.concatenate([v[np.isfinite(v)] for v in values]).astype(np.float64)
    return float(known.mean()) if len(known) else np.nan


def frames_shown(looked: Looked) -> IntArray:
    """Return the frames of a stack that were shown, each once."""
    return np.unique(looked.frame_shown)
