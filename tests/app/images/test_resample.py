"""A tile is sampled fast while it moves; what a thread sampled ahead is taken once."""

import numpy as np
import pytest

from app.images import resample
from app.images.moving import moving
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


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("flipped", [False, True])
def test_what_moves_lies_at_most_a_fifth_of_a_device_pixel_off(
    turn_deg: int, flipped: bool
) -> None:
    rng = np.random.default_rng(turn_deg + flipped)
    rows, columns = np.mgrid[0:900, 0:700].astype(np.uint16)
    seen = 0
    for _ in range(8):
        view = Viewport(700, 900, (0.0, 0.0, *rng.integers(60, 500, 2).astype(float)))
        view.rotate_by(turn_deg)
        view.flip(horizontally=flipped)
        view.zoom_at(*rng.random(2) * 300, float(np.exp(rng.uniform(-1, 3))))
        view.pan_by(*rng.uniform(-100, 100, 2))
        ratio = float(rng.choice([1.0, 1.25, 2.0]))
        to_image, width, height = view.grid(ratio)
        exact = to_image.map(np.stack(np.meshgrid(range(width), range(height)), axis=-1)) - 0.5
        most = 0.2 / (view.zoom * ratio) + 0.03  # in source pixels; values are places times 64
        for axis, places in enumerate((columns, rows)):
            drawn = moving(places * np.uint16(64), to_image, width, height)
            if drawn is None:
                continue
            inner = (exact > 1 + 2 * most).all(-1) & (
                exact < np.array([699, 899]) - 1 - 2 * most
            ).all(-1)
            off = np.abs(drawn / 64 - exact[..., axis])[inner]
            assert off.size == 0 or off.max() <= most
            seen += off.size
    assert seen > 20_000


def test_of_an_image_that_is_hardly_seen_nothing_is_drawn_in_motion() -> None:
    view = Viewport(700, 3, (0.0, 0.0, 100.0, 100.0))
    assert moving(np.zeros((3, 700), np.uint16), *view.grid(1.0)) is None
    shown = view.resample(np.full((3, 700), 9, np.uint16), 1.0, smooth=False)
    assert shown.mask.any()
    assert (shown.pixels[shown.mask] == 9).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16])
def test_what_moves_keeps_its_kind_of_values_and_its_colours(dtype: type) -> None:
    low = 0 if np.dtype(dtype).kind == "u" else -40
    stored = np.full((90, 70), low + 17, dtype)
    view = Viewport(70, 90, (0.0, 0.0, 31.0, 47.0))
    seen = view.resample(stored, 1.5, smooth=False)
    assert seen.pixels.dtype == dtype
    assert (seen.pixels[seen.mask] == low + 17).all()
    colours = np.zeros((90, 70, 3), np.uint8) + np.uint8([9, 5, 1])
    assert (
        view.resample(colours, 1.0, smooth=False).pixels[seen.mask[:47, :31]] == (9, 5, 1)
    ).any()
