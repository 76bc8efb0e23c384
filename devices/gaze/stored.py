"""From a stored reading to image points: the one place where recorded gaze is decoded and mapped.

Station, trainer, exports, review and report write ``points_of(stored_reading(rows, id))`` and so
see the same points.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from devices.gaze.chunks import (
    checked_columns,
    decode_chunk,
    from_columns,
    in_order,
    join_chunks,
)
from devices.gaze.errors import ChunkError
from devices.gaze.fixations import Fixation
from devices.gaze.geometry import FloatArray, ScreenGeometry
from devices.gaze.mapping import (
    FixationPlace,
    MappedGaze,
    ScreenHistory,
    image_at,
    map_samples,
    place_of,
)
from devices.gaze.samples import Eye, SampleArray, gaze_norm
from devices.gaze.steady import SteadyGaze
from devices.gaze.view import Affine, TileView, ViewHistory


class EncodedChunk(Protocol):
    """A run of samples as `devices.gaze.chunks` encodes it."""

    @property
    def sequence(self) -> int:
        """Its number in its recording, from 0."""

    @property
    def first_us(self) -> int:
        """Host time of its first sample."""

    @property
    def last_us(self) -> int:
        """Host time of its last sample."""

    @property
    def blob(self) -> bytes:
        """What was encoded."""

    @property
    def count(self) -> int:
        """Samples in it."""

    @property
    def crc32(self) -> int:
        """Checksum of the blob."""

    @property
    def codec_version(self) -> int:
        """Version of the codec."""


class ScreenInForce(Protocol):
    """The tracked screen from an instant on."""

    @property
    def time_us(self) -> int:
        """From when on, host clock."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """What `ScreenGeometry.as_dict` returned."""


class Recorded(Protocol):
    """A reading as it was recorded."""

    @property
    def started_us(self) -> int:
        """Host time from which on samples belong to it."""

    @property
    def ended_us(self) -> int | None:
        """Host time up to, not at, which samples belong to it; None while it goes on."""

    @property
    def chunks(self) -> Sequence[EncodedChunk]:
        """All chunks that hold samples of it."""

    @property
    def screens(self) -> Sequence[ScreenInForce]:
        """At least one, in order of time; the first is in force from the start."""

    @property
    def views(self) -> Sequence[Mapping[str, Any]]:
        """What `TileView.as_row` returned, in order of time."""

    @property
    def eye(self) -> Eye:
        """Which eye the point of gaze is taken from."""

    @property
    def correction(self) -> Mapping[str, float] | None:
        """Coefficients of the `Affine` map from `_norm` to `_norm`; None for none."""

    @property
    def lacks(self) -> Sequence[str]:
        """What the source of imported gaze does not say; "geometry": the screen is invented."""


@dataclass(frozen=True, slots=True)
class DamagedChunk:
    """A stored chunk that can no longer be read: a gap in the gaze.

    Attributes
    ----------
    sequence
        Its number in its recording, from 0.
    first_us, last_us
        Host time of the first and the last sample that it held.
    reason
        Why it cannot be read.
    """

    sequence: int
    first_us: int
    last_us: int
    reason: str

    def __str__(self) -> str:
        seconds = (self.last_us - self.first_us) / 1e6
        return f"chunk {self.sequence} ({seconds:.2f} s of gaze) is lost: {self.reason}"


@dataclass(frozen=True, slots=True, eq=False)
class StoredGaze:
    """The gaze of one reading.

    Attributes
    ----------
    samples
        Shape (N,), raw, in order of host time.
    time_us
        Shape (N,), int64, host clock.
    points_norm, points_screen, points_deg, points_image
        Shape (N, 2); NaN without gaze, in image frame also off every image. Each sample is mapped
        with the screen and the view in force at its own instant.
    view_index
        Shape (N,), index into `views.views` of the view each sample fell on, -1 for none.
    image_id, frame
        Shape (N,), the image each sample fell on and the frame of it that was shown; "" and -1 for
        none.
    image_px_per_deg
        Shape (N,), image pixels that a degree of visual angle covered there; NaN off every image
        and where the geometry is not known.
    eye
        Which eye the point of gaze is taken from.
    screens, views
        What the gaze was mapped with.
    damaged
        The chunks that could not be read; their samples are missing from all of the above. Who
        shows or writes the gaze names them.
    """

    samples: SampleArray
    time_us: NDArray[np.int64]
    points_norm: FloatArray
    points_screen: FloatArray
    points_deg: FloatArray
    points_image: FloatArray
    view_index: NDArray[np.int64]
    image_id: NDArray[np.str_]
    frame: NDArray[np.int64]
    image_px_per_deg: FloatArray
    eye: Eye
    screens: ScreenHistory
    views: ViewHistory
    damaged: tuple[DamagedChunk, ...] = ()

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def has_gaze(self) -> NDArray[np.bool_]:
        """Shape (N,), whether a sample has a point of gaze."""
        return ~np.isnan(self.points_norm[:, 0])

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The images that were shown, in order of appearance."""
        return tuple(dict.fromkeys(view.image_id for view in self.views.views))

    def eye_screen(self, eye: Eye) -> FloatArray:
        """Return the raw gaze (N, 2) of an eye, `_screen`, neither steadied nor corrected."""
        return self.screens.to_screen(self.time_us, gaze_norm(self.samples, eye))

    def places_of(self, fixations: Sequence[Fixation]) -> list[FixationPlace]:
        """Return where on which image each fixation of this gaze lies."""
        mapped = self._mapped()
        return [place_of(each, mapped, self.views) for each in fixations]

    def images_at(self, times_us: Sequence[int]) -> list[tuple[str | None, int]]:
        """Return image and frame that the sample of each instant fell on; None and 0 for none."""
        mapped = self._mapped()
        return [image_at(time_us, mapped, self.views) for time_us in times_us]

    def _mapped(self) -> MappedGaze:
        return MappedGaze(*(getattr(self, name) for name in MappedGaze.__slots__))


def points_of(reading: Recorded) -> StoredGaze:
    """Return the gaze of a recorded reading, as it was mapped while it was recorded.

    A damaged chunk costs its own samples alone: it is a gap, and `StoredGaze.damaged` names it.

    Raises
    ------
    ZeroDivisionError
        If a view has no area.
    """
    found, damaged = _readable(reading.chunks)
    samples = _own(found, reading.started_us, reading.ended_us)
    screens = _screen_history(reading.screens)
    views = ViewHistory(TileView.from_row(row) for row in reading.views)
    correction = Affine(**reading.correction) if reading.correction else None
    mapped = map_samples(samples, screens, views, SteadyGaze(reading.eye, correction))
    index = mapped.view_index
    return StoredGaze(
        samples,
        mapped.time_us,
        mapped.points_norm,
        mapped.points_screen,
        mapped.points_deg,
        mapped.points_image,
        index,
        np.array([*(view.image_id for view in views.views), ""])[index],
        np.array([*(view.frame for view in views.views), -1], np.int64)[index],
        _image_px_per_deg(mapped, screens, views, is_known="geometry" not in reading.lacks),
        reading.eye,
        screens,
        views,
        damaged,
    )


def samples_of(chunks: Iterable[EncodedChunk]) -> SampleArray:
    """Return the samples (N,) of chunks, in order of host time.

    Raises
    ------
    ChunkError
        If a chunk is damaged.
    """
    return join_chunks(decode_chunk(c.blob, c.count, c.crc32, c.codec_version) for c in chunks)


def _readable(
    chunks: Iterable[EncodedChunk],
) -> tuple[SampleArray, tuple[DamagedChunk, ...]]:
    """Return the samples of all readable chunks, and the damaged chunks."""
    parts, counts, damaged = list[bytes](), list[int](), list[DamagedChunk]()
    for c in chunks:
        try:
            parts.append(checked_columns(c.blob, c.count, c.crc32, c.codec_version))
            counts.append(c.count)
        except ChunkError as error:
            damaged.append(DamagedChunk(c.sequence, c.first_us, c.last_us, str(error)))
    return in_order(from_columns(parts, counts)), tuple(damaged)


def _own(samples: SampleArray, started_us: int, ended_us: int | None) -> SampleArray:
    own = samples["host_us"] >= started_us
    if ended_us is not None:
        own &= samples["host_us"] < ended_us
    return samples[own]


def _screen_history(screens: Sequence[ScreenInForce]) -> ScreenHistory:
    first, *changes = screens
    history = ScreenHistory(ScreenGeometry.from_dict(dict(first.fields)))
    for screen in changes:
        history.add(screen.time_us, ScreenGeometry.from_dict(dict(screen.fields)))
    return history


def _image_px_per_deg(
    gaze: MappedGaze, screens: ScreenHistory, views: ViewHistory, *, is_known: bool
) -> FloatArray:
    """Return the image pixels (N,) that a degree covered where each sample fell."""
    scales = [view.transform.scale or np.nan for view in views.views]
    scale: FloatArray = np.array([*scales, np.nan])[gaze.view_index]
    degree: FloatArray = screens.px_per_deg(gaze.time_us) if is_known else np.full(1, np.nan)
    return degree / scale
