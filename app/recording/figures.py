"""Counts of the samples of one reading: as they come, or from stored gaze."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.recording.pauses import Pauses
from app.recording.stream_counts import StreamCounts
from devices.gaze.rating import gaze_loss
from devices.gaze.samples import SampleArray


@dataclass(frozen=True, slots=True)
class GazeFigures:
    """Counts of the samples of one reading.

    Attributes
    ----------
    sample_count, lost_count
        Samples, and those missing between their time stamps.
    missing_count, invalid_count
        Samples that were due and never came, and those without gaze, outside pauses.
    loss, silent_s
        As in `devices.gaze.rating.GazeLoss`; 1 if no gaze was due.
    off_screen
        Samples with gaze outside the tracked screen.
    gap_count, longest_gap_us, jitter_us
        Of the time stamps, as in `StreamCounts`.
    off_image
        Share of samples with gaze that fell on no image.
    duration_us
        How long the reading lasted (so far).
    """

    sample_count: int = 0
    lost_count: int = 0
    missing_count: int = 0
    invalid_count: int = 0
    loss: float = 1.0
    silent_s: float = 0.0
    off_screen: int = 0
    off_image: float = 0.0
    fixation_count: int = 0
    duration_us: int = 0
    measured_rate_hz: float | None = None
    gap_count: int = 0
    longest_gap_us: int = 0
    jitter_us: float | None = None

    def stream(self) -> dict[str, Any]:
        """Return how regular the samples were, as a reading's details store it."""
        return {
            "missing": self.lost_count,
            "silent_s": round(self.silent_s, 3),
            "off_screen": self.off_screen,
            "gaps": self.gap_count,
            "longest_gap_us": self.longest_gap_us,
            "jitter_us": self.jitter_us,
            "measured_rate_hz": self.measured_rate_hz,
        }


class Mapped(Protocol):
    """Gaze with its frames, live or stored."""

    @property
    def time_us(self) -> NDArray[np.int64]:
        """Shape (N,), host clock."""

    @property
    def points_norm(self) -> NDArray[np.float64]:
        """Shape (N, 2)."""

    @property
    def view_index(self) -> NDArray[np.int64]:
        """Shape (N,), -1 for no image."""


@dataclass(slots=True)
class GazeCounts:
    """Running counts of the samples of a reading.

    Attributes
    ----------
    stream
        All samples.
    off_image, off_screen
        With gaze, but on no image or outside the tracked screen.
    paused, paused_valid
        In pauses, and how many of these have gaze.
    """

    stream: StreamCounts
    off_image: int = 0
    off_screen: int = 0
    paused: int = 0
    paused_valid: int = 0

    def add(self, samples: SampleArray, mapped: Mapped, pauses: Pauses) -> None:
        """Count samples (N,), in order of time, and where they fell."""
        with_gaze = ~np.isnan(mapped.points_norm[:, 0])
        self.stream.add(samples, with_gaze)
        self.off_image += int((with_gaze & (mapped.view_index < 0)).sum())
        outside = (mapped.points_norm < 0) | (mapped.points_norm > 1)
        self.off_screen += int(outside.any(axis=1).sum())
        if pauses.spells:
            paused = pauses.during(mapped.time_us)
            self.paused += int(paused.sum())
            self.paused_valid += int((paused & with_gaze).sum())


def figures_of(
    gaze: GazeCounts,
    fixation_count: int,
    duration_us: int,
    open_us: int,
    rate_hz: float | None,
) -> GazeFigures:
    """Return the figures of a reading.

    Parameters
    ----------
    duration_us, open_us
        How long it lasted, and how long gaze was due: without its pauses.
    rate_hz
        Rate of the recording, measured or nominal; None: the reading's own.
    """
    counts = gaze.stream
    lost = gaze_loss(
        counts.valid_count - gaze.paused_valid,
        counts.sample_count - gaze.paused,
        max(0, open_us),
        rate_hz or counts.measured_rate_hz,
    )
    return GazeFigures(
        sample_count=counts.sample_count,
        lost_count=counts.lost_count,
        missing_count=lost.missing_count,
        invalid_count=lost.invalid_count,
        loss=lost.loss,
        silent_s=lost.silent_s,
        off_screen=gaze.off_screen,
        off_image=gaze.off_image / counts.valid_count if counts.valid_count else 0.0,
        fixation_count=fixation_count,
        duration_us=max(0, duration_us),
        measured_rate_hz=counts.measured_rate_hz,
        gap_count=counts.gap_count,
        longest_gap_us=counts.longest_gap_us,
        jitter_us=counts.jitter_us,
    )
