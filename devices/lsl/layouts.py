"""How samples are made from the channels of an LSL gaze stream."""

from dataclasses import dataclass

import numpy as np

from devices.gaze.geometry import FloatArray
from devices.gaze.samples import SampleArray, empty_samples

LOWEST_CONFIDENCE = 0.6  # Pupil Labs' own default for data of use
LARGEST_PUPIL_MM = 15.0
ENOUGH_TO_JUDGE = 30
WAY_OUT = (
    "Describe it in the LSL mapping file (docs/trackers.md): its unit (normalized, percent or "
    "pixels) or its channels. Or use another sender, such as TittaLSL."
)


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as the stream describes it."""

    label: str
    eye: str = ""
    type: str = ""
    unit: str = ""
    coordinate_system: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a field of a sample comes from: `scale` × channel `index`, flipped if bottom-up.

    `valid` is the channel that says 1 where the value holds.
    """

    field: str
    index: int
    scale: float = 1.0
    flipped: bool = False
    valid: int | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """How samples are made from a stream's channels.

    Attributes
    ----------
    stream
        Its name, for messages.
    labels
        Of all its channels, for messages.
    confidence
        Channel of Pupil's confidence; below 0.6 the gaze counts as lost.
    device_time
        Channel of the device's own time, and its unit in microseconds.
    unit
        Of the gaze channels, as declared.
    note
        What the user should know about this stream, or "".
    """

    stream: str
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    unit: str
    confidence: int | None = None
    device_time: tuple[int, float] | None = None
    note: str = ""

    def samples(self, values: FloatArray) -> SampleArray:
        """Return the values (N, channels) as samples; their times are still to be set."""
        samples = empty_samples(len(values))
        for column in self.columns:
            value = values[:, column.index] * column.scale
            if column.flipped:
                value = 1.0 - value
            if column.valid is not None:
                value = np.where(values[:, column.valid] >= 0.5, value, np.nan)
            samples[column.field] = value
        self._drop_impossible(samples, values)
        return samples

    def contradiction(self, points_norm: FloatArray) -> str | None:
        """Return why observed gaze (N, 2) cannot have the declared unit; None if it can."""
        there = np.abs(points_norm[np.isfinite(points_norm).all(axis=1)])
        if len(there) < ENOUGH_TO_JUDGE:
            return None
        middle = np.median(there, axis=0)
        if middle.max() <= 2.0 and there.max() >= 0.02:
            return None
        axis = int(middle.argmax())
        field = ("x_norm", "y_norm")[axis]
        scale = next(c.scale for c in self.columns if c.field.endswith(field))
        return (
            f'LSL stream "{self.stream}" says its gaze is in "{self.unit or "no unit"}", but it '
            f"sends values about {middle[axis] / scale:.4g}. {WAY_OUT}"
        )

    def _drop_impossible(self, samples: SampleArray, values: FloatArray) -> None:
        """Set to NaN: half a point, a pupil without size, gaze without confidence."""
        for eye in ("left", "right"):
            x, y = samples[f"{eye}_x_norm"], samples[f"{eye}_y_norm"]
            lost = ~(np.isfinite(x) & np.isfinite(y))
            if self.confidence is not None:
                lost |= ~(values[:, self.confidence] >= LOWEST_CONFIDENCE)
            x[lost], y[lost] = np.nan, np.nan
            pupil = samples[f"{eye}_pupil_mm"]
            pupil[~((pupil > 0) & (pupil < LARGEST_PUPIL_MM))] = np.nan
