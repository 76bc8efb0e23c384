"""Finished readings and their gaze on each image, computed anew from raw chunks and views."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from devices.gaze.errors import GazeError
from devices.gaze.stored import StoredGaze, points_of
from migrations.study.folder import Study
from migrations.study.names import item_of_frame
from migrations.study.schema import Fixation, Reading
from migrations.study.stored_reading import StoredReading, stored_reading
from trainer.data.chains import Chains, Dropped, chains_of
from trainer.data.windows import ShownWindow, WindowsInForce, dwelt
from trainer.errors import Cancelled


@dataclass(frozen=True, slots=True)
class FixationList:
    """Fixations on one image: times (M,) int64 like those of the reading, points (M, 2)."""

    start_us: NDArray[np.int64]
    duration_us: NDArray[np.int64]
    points_image: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReadingGaze:
    """One reading of one image.

    Attributes
    ----------
    reading_id, reader_id
        Of the finished reading; what it resumed is part of it.
    time_us
        Shape (N,), since the reading began; breaks between resumed parts are taken out.
    points_image
        Shape (N, 2), source-image pixels, samples on this image only.
    fixations
        As the filter found them, on this image only.
    image_px_per_deg
        Image pixels that a degree of visual angle covered, the mean over samples; None where the
        geometry is not known.
    windows
        By which the image was fixated; empty where none is noted.
    """

    reading_id: str
    reader_id: str
    time_us: NDArray[np.int64]
    points_image: NDArray[np.float64]
    fixations: FixationList
    image_px_per_deg: float | None = None
    windows: tuple[ShownWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptReadings:
    """Gaze by image or frame of a stack, in order of reading; what was left out or is damaged."""

    by_image: dict[str, list[ReadingGaze]]
    dropped: list[Dropped]
    damaged: list[Dropped]


@dataclass(frozen=True, slots=True)
class _Part:
    """What the database holds of one uninterrupted part of a reading."""

    reading: Reading
    stored: StoredReading
    fixations: Sequence[Fixation]


def kept_readings(
    study: Study, progress: Callable[[int, int], None], cancelled: Callable[[], bool]
) -> KeptReadings:
    """Return the gaze of all readings that count, and why the others do not.

    Each reading is read in a short transaction of its own; see `load_cohort`.
    """
    chains = chains_of(study)
    kept = KeptReadings(defaultdict(list), list(chains.unfinished), [])
    for done, chain in enumerate(chains.whole, start=1):
        if cancelled():
            raise Cancelled("Stopped while reading the study.")
        _keep(study, chain, kept, chains)
        progress(done, len(chains.whole))
    return KeptReadings(dict(kept.by_image), kept.dropped, kept.damaged)


def _keep(study: Study, chain: Sequence[Reading], kept: KeptReadings, chains: Chains) -> None:
    reason = chains.refusal(chain, trial=study.settings.trial)
    if reason is None:
        try:
            parts = [(part := _load(study, row), points_of(part.stored)) for row in chain]
        except (GazeError, ZeroDivisionError) as error:
            reason = f"its gaze cannot be read: {error}"
        else:
            found = _gaze(chain[-1], parts, chains.stacks)
            kept.damaged.extend(
                Dropped("chunk", part.reading.id, str(chunk))
                for part, gaze in parts
                for chunk in gaze.damaged
            )
            lost = "".join(f"; {chunk}" for _, gaze in parts for chunk in gaze.damaged)
            reason = None if found else f"no gaze on an image{lost}"
            for image_id, gaze in found.items():
                kept.by_image[image_id].append(gaze)
    if reason is not None:
        kept.dropped.append(Dropped("reading", chain[-1].id, reason))


def _load(study: Study, reading: Reading) -> _Part:
    fixations = (
        select(Fixation).where(Fixation.reading_id == reading.id).order_by(Fixation.start_us)
    )
    with study.database.read() as session:
        stored = stored_reading(session, reading.id)
        return _Part(reading, stored, session.scalars(fixations).all())


def _gaze(
    reading: Reading, parts: Iterable[tuple[_Part, StoredGaze]], stacks: Set[str]
) -> dict[str, ReadingGaze]:
    """Return the gaze of a reading by image, of stacks by frame; parts come in order of time."""
    samples: dict[str, list[_OnImage]] = defaultdict(list)
    fixations: dict[str, list[tuple[int, int, float, float]]] = defaultdict(list)
    windows: dict[str, list[tuple[tuple[float, float] | None, int]]] = defaultdict(list)
    elapsed = 0
    for part, gaze in parts:
        shift = elapsed - part.reading.started_us
        in_force = WindowsInForce(part.stored.views)
        for item, run in _samples_by_item(gaze, stacks):
            samples[item].append(replace(run, time_us=run.time_us + shift))
        for f in part.fixations:
            if f.image_id and f.x_image is not None and f.y_image is not None:
                row = (f.start_us + shift, f.duration_us, f.x_image, f.y_image)
                item = item_of_frame(f.image_id, f.frame) if f.image_id in stacks else f.image_id
                fixations[item].append(row)
                windows[item].append((in_force.at(f.image_id, f.start_us), f.duration_us))
        elapsed += (part.reading.ended_us or 0) - part.reading.started_us
    return {
        image_id: ReadingGaze(
            reading.id,
            reading.reader_id,
            np.concatenate([run.time_us for run in runs]),
            np.concatenate([run.points_image for run in runs]),
            _fixation_list(fixations[image_id]),
            _mean_px_per_deg(runs),
            dwelt(windows[image_id]),
        )
        for image_id, runs in samples.items()
    }


@dataclass(frozen=True, slots=True)
class _OnImage:
    """Samples on one image: host times, image pixels, image pixels per degree (NaN: not known)."""

    time_us: NDArray[np.int64]
    points_image: NDArray[np.float64]
    px_per_deg: NDArray[np.float64]


def _samples_by_item(gaze: StoredGaze, stacks: Set[str]) -> Iterable[tuple[str, _OnImage]]:
    """Yield ids of images, or of frames of stacks, and what fell on each."""
    for image_id in gaze.image_ids:
        on_image = gaze.image_id == image_id
        if image_id not in stacks:
            yield from _chosen(gaze, image_id, on_image)
            continue
        for frame in np.unique(gaze.frame[on_image]).tolist():
            item = item_of_frame(image_id, frame)
            yield from _chosen(gaze, item, on_image & (gaze.frame == frame))


def _chosen(
    gaze: StoredGaze, item: str, chosen: NDArray[np.bool_]
) -> Iterable[tuple[str, _OnImage]]:
    if chosen.any():
        points, scale = gaze.points_image[chosen], gaze.image_px_per_deg[chosen]
        yield item, _OnImage(gaze.time_us[chosen], points, scale)


def _mean_px_per_deg(runs: Sequence[_OnImage]) -> float | None:
    """Return the mean over samples, or None."""
    mean = float(np.concatenate([run.px_per_deg for run in runs]).mean())
    return mean if np.isfinite(mean) else None


def _fixation_list(rows: Sequence[tuple[int, int, float, float]]) -> FixationList:
    return FixationList(
        np.array([r[0] for r in rows], np.int64),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2:] for r in rows], np.float64).reshape(-1, 2),
    )
