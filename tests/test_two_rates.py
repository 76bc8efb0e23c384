"""The positive rate that the page shows is the one that the trainer goes by."""

from pathlib import Path

import numpy as np
import pytest

from app.workspace.similarity import StoredRelation, load_stored_relation
from devices.gaze.pair_rates import positive_rate, threshold_for_rate

IMAGES, UNREAD = 40, 10


@pytest.fixture
def matrix() -> np.ndarray:
    values = np.random.default_rng(0).random((IMAGES, IMAGES)).astype(np.float32)
    return (values + values.T) / 2


def shown(folder: Path, matrix: np.ndarray, valid: np.ndarray) -> StoredRelation:
    """Return a stored matrix as the page opens it."""
    ids = [f"{i}" for i in range(len(matrix))]
    np.savez(folder / "stored.npz", similarity=matrix, valid=valid, ids=ids)
    return load_stored_relation(folder / "stored.npz")


@pytest.mark.parametrize(
    "unread",
    [
        0,
        pytest.param(
            UNREAD,
            marks=pytest.mark.xfail(
                strict=True,
                raises=AssertionError,
                reason="the page divides by all pairs, the trainer by those that have a value; "
                "mended once both ask one function for the rate",
            ),
        ),
    ],
)
def test_the_page_shows_the_positive_rate_that_the_trainer_was_asked_for(
    unread: int, matrix: np.ndarray, tmp_path: Path
) -> None:
    valid = np.ones((IMAGES, IMAGES), bool)
    valid[:unread] = valid[:, :unread] = False  # read too briefly: no value
    threshold = threshold_for_rate(matrix.astype(float), valid, 0.05)
    trainers = positive_rate(matrix.astype(float), valid, threshold)
    if not 0.04 < trainers <= 0.05:
        pytest.fail(f"the trainer is to reach nearly the rate it was asked for, not {trainers}")
    assert shown(tmp_path, matrix, valid).rate(threshold) == pytest.approx(trainers)
