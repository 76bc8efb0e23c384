"""Gaze moments over time: each reading cut into equal runs of samples, one moment pair a run.

Definition: McGIP's heat-sequence scheme; the number of runs is not in the released code.
"""

from dataclasses import dataclass

import numpy as np

from trainer.similarity.base import FloatArray, Gaze, Measure, canvas_points, require
from trainer.similarity.moment import MomentParameters, matrix, whole_moments


@dataclass(frozen=True, slots=True)
class MomentSequenceParameters(MomentParameters):
    """Those of `moment`, and `frames`: the number of runs."""

    frames: int = 8

    def __post_init__(self) -> None:
        MomentParameters.__post_init__(self)
        require(self.frames >= 1, "frames", "at least 1", self.frames)


def features(gaze: Gaze, parameters: MomentSequenceParameters) -> FloatArray:
    """Return (mu, Hu) of each run, shape (frames, 2).

    Runs begin at sample floor(k·n / frames), so they differ by one sample at most.
    """
    xy = canvas_points(gaze, parameters).xy
    frames = parameters.frames
    cuts = np.arange(frames + 1) * len(xy) // frames
    runs = (xy[cuts[k] : cuts[k + 1]] for k in range(frames))
    return np.array([whole_moments(run, parameters.canvas) for run in runs])


MEASURE = Measure(
    "moment_sequence", "Gaze moments in sequence", MomentSequenceParameters, features, matrix
)
