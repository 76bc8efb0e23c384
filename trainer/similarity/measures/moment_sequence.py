"""Gaze moments over time: each reading cut into equal runs of samples, one moment pair a run.

Definition: McGIP's heat-sequence scheme; the number of runs is not in the released code.
"""

from dataclasses import dataclass, replace

import numpy as np

from trainer.similarity.base import FloatArray, Gaze, Measure, canvas_points, require
from trainer.similarity.measures.moment import MomentParameters, similarity, whole_moments


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
    points, frames = canvas_points(gaze, parameters), parameters.frames
    cuts = np.arange(frames + 1) * len(points.xy) // frames
    runs = (replace(points, xy=points.xy[cuts[k] : cuts[k + 1]]) for k in range(frames))
    return np.array([whole_moments(run) for run in runs])


MEASURE = Measure(
    "moment_sequence",
    "Gaze moments in sequence",
    MomentSequenceParameters,
    features,
    similarity,
    pair_parameters=("weight_mu", "weight_hu"),
)
