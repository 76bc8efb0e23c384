"""encoder: a small encoder of gaze, taught to find another person's gaze on the same image; ours.

All parts of a reading go through one matrix that begins as the identity and learns, without labels,
to tell which of many readings is another person's of the same image (InfoNCE). Similarity is the
cosine of what comes out. Nothing is learnt of the test split; the matrix is kept with the run.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.errors import NothingToLearnError, SimilarityError
from trainer.similarity.base import (
    CohortPass,
    FeatureTable,
    Fitted,
    FloatArray,
    Known,
    Measure,
    Pairs,
    PointParameters,
    require,
)
from trainer.similarity.gaze_parts import (
    WEIGHTS,
    fit_parts,
    in_parts,
    of_length_one,
    part_features,
    weights_of,
)

LEAST_IMAGES = 10
"""Images read by two below which nothing can be learnt."""
_RATE, _DECAY = 1e-3, 0.05


@dataclass(frozen=True, slots=True)
class EncoderParameters(PointParameters):
    """Parameters of encoder.

    Attributes
    ----------
    steps
        Of learning, each over one pair of readings of every image (of `batch` at most).
    temperature
        Of the loss.
    drop
        Share of the numbers of a reading that are dropped at each step.
    batch
        Images a step.
    seed
        Of pairs and drops.
    """

    steps: int = 60
    temperature: float = 0.05
    drop: float = 0.3
    batch: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        PointParameters.__post_init__(self)
        require(self.steps >= 0, "steps", "0 or more", self.steps)
        require(self.temperature > 0, "temperature", "above 0", self.temperature)
        require(0 <= self.drop < 1, "drop", "from 0 to below 1", self.drop)
        require(self.batch >= 2, "batch", "at least 2", self.batch)
        require(self.seed >= 0, "seed", "0 or more", self.seed)


def fit(table: FeatureTable, known: Known, parameters: EncoderParameters) -> Fitted:
    """Return the mean, the parts and the learnt matrix.

    Raises
    ------
    NothingToLearnError
        If too few images were read by two.
    SimilarityError
        If torch is not installed.
    """
    fitted = fit_parts(table)
    rows = in_parts(table, fitted) * weights_of(WEIGHTS)
    partners = _partners(known, np.asarray(table.flat.any(axis=1)))
    if len(partners) < LEAST_IMAGES:
        raise NothingToLearnError(
            f"encoder learns from images read by two people; there are {len(partners)}, and "
            f"{LEAST_IMAGES} are needed. Choose another measure, such as dwell."
        )
    return fitted | {"matrix": _learnt(rows, partners, parameters)}


def apply(table: FeatureTable, fitted: Fitted, _parameters: EncoderParameters) -> FeatureTable:
    """Return what comes out of the matrix, of length 1; zeros stay zeros."""
    out = of_length_one(in_parts(table, fitted) * weights_of(WEIGHTS) @ fitted["matrix"])
    out[~table.flat.any(axis=1)] = 0.0
    return FeatureTable(out.astype(np.float32), table.starts)


def similarity(a: FeatureTable, b: FeatureTable, _parameters: Any) -> Pairs:
    """Return the cosines, −1 to 1; 0 and invalid without a point."""
    values = np.clip(a.flat @ b.flat.T, -1.0, 1.0).astype(np.float64)
    has = [table.flat.any(axis=1) for table in (a, b)]
    return Pairs(values, np.logical_and.outer(*has))


def _partners(known: Known, has: NDArray[np.bool_]) -> list[list[NDArray[np.int64]]]:
    """Return for each image that two people read the readings of each of them."""
    found = []
    for image in np.unique(known.image[has]):
        own = np.flatnonzero(has & (known.image == image))
        readers = known.reader[own]
        if len(set(readers.tolist())) > 1:
            found.append([own[readers == reader] for reader in np.unique(readers)])
    return found


def _drawn(
    partners: list[list[NDArray[np.int64]]], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return (images, 2): two people's readings of some images."""
    images = rng.permutation(len(partners))[:count]
    pairs = [rng.choice(len(partners[i]), 2, replace=False) for i in images]
    return np.array(
        [[rng.choice(partners[i][r]) for r in pair] for i, pair in zip(images, pairs, strict=True)]
    )


def _learnt(
    rows: FloatArray, partners: list[list[NDArray[np.int64]]], parameters: EncoderParameters
) -> FloatArray:
    """Return the matrix (D, D) that finds the other reading of an image."""
    try:
        import torch
        from torch.nn.functional import cross_entropy, normalize
    except ImportError as error:
        raise SimilarityError(
            "encoder needs PyTorch, which is not installed. Install it with pip install "
            "foveate[train], or use what was learned before."
        ) from error
    rng, dice = (
        np.random.default_rng(parameters.seed),
        torch.Generator().manual_seed(parameters.seed),
    )
    inputs = torch.from_numpy(rows.astype(np.float32))
    same = torch.eye(rows.shape[1])
    change = torch.zeros_like(same, requires_grad=True)
    optimiser = torch.optim.AdamW([change], lr=_RATE, weight_decay=_DECAY)
    with torch.enable_grad():
        for _ in range(parameters.steps):
            drawn = torch.from_numpy(_drawn(partners, parameters.batch, rng))
            taken = inputs[drawn]
            kept = torch.rand(taken.shape, generator=dice) >= parameters.drop
            out = normalize((taken * kept) @ (same + change), dim=2)
            cosines = out[:, 0] @ out[:, 1].T / parameters.temperature
            own = torch.arange(len(drawn))
            loss = cross_entropy(cosines, own) + cross_entropy(cosines.T, own)
            optimiser.zero_grad()
            torch.autograd.backward(loss / 2)
            optimiser.step()
    return np.asarray((same + change).detach().numpy(), np.float64)


MEASURE = Measure(
    "encoder",
    "Encoder of gaze",
    EncoderParameters,
    part_features,
    similarity,
    pair_parameters=("steps", "temperature", "drop", "batch", "seed"),
    cohort=CohortPass(fit, apply, learns="readers"),
    vectors=True,
)
