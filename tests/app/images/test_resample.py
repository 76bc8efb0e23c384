"""What is sampled ahead in a thread is what would be sampled at once, and is taken once."""

import numpy as np
import pytest

from app.images import resample
from app.images.resample import strips_outside
from app.images.viewport import Viewport


def stored(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 4096, (90, 70)).astype(np.uint16)


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    calls: list[bool] = []
    real = resample._computed
    monkeypatch.setattr(resample, "_READY", {})
    monkeypatch.setattr(
        resample, "_computed", lambda pixels, key: (calls.append(key.smooth), real(pixels, key))[1]
    )
    return calls


def test_what_was_sampled_ahead_is_taken_once(computed: list[bool]) -> None:
    pixels, view = stored(), Viewport(70, 90, (0.0, 0.0, 31.0, 47.0))
    at_once = view.resample(pixels, 1.5, smooth=True)
    view.copy().resample_ahead(pixels, 1.5)
    assert len(computed) == 2
    taken = view.resample(pixels, 1.5, smooth=True)
    assert len(computed) == 2
    np.testing.assert_array_equal(taken.pixels, at_once.pixels)
    np.testing.assert_array_equal(taken.mask, at_once.mask)
    view.resample(pixels, 1.5, smooth=True)
    assert len(computed) == 3


def test_another_view_or_image_is_not_served_by_it(computed: list[bool]) -> None:
    pixels, view = stored(), Viewport(70, 90, (0.0, 0.0, 31.0, 47.0))
    view.resample_ahead(pixels, 1.0)
    view.resample(pixels, 2.0, smooth=True)
    view.resample(stored(1), 1.0, smooth=True)
    view.resample(pixels, 1.0, smooth=False)
    view.pan_by(1.0, 0.0)
    view.resample(pixels, 1.0, smooth=True)
    assert computed == [True, True, True, False, True]


def test_what_is_held_is_bounded(computed: list[bool]) -> None:
    view = Viewport(70, 90, (0.0, 0.0, 31.0, 47.0))
    for seed in range(12):
        view.resample_ahead(stored(seed), 1.0)
    assert len(resample._READY) <= resample._MOST_READY


@pytest.mark.parametrize(
    "box", [(0, 9, 0, 7), (2, 5, 0, 7), (0, 9, 3, 4), (2, 5, 1, 6), (0, 0, 0, 0)]
)
def test_strips_are_all_that_is_not_the_image(box: tuple[int, int, int, int]) -> None:
    mask = np.zeros((9, 7), bool)
    mask[box[0] : box[1], box[2] : box[3]] = True
    seen = np.ones((9, 7), int)
    for strip in strips_outside(mask):
        seen[strip] -= 1
    np.testing.assert_array_equal(seen, mask.astype(int))
