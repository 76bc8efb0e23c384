"""Every measure against a slow reference written from its definition alone."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.made_readings import gaze, readings
from tests.trainer.similarity import reference_density, reference_heat, reference_tima
from trainer.similarity.base import canvas_points
from trainer.similarity.heat import highest_of
from trainer.similarity.heat_sums import visited
from trainer.similarity.measures.moment import MomentParameters
from trainer.similarity.moments import bilinear, bilinear_taps
from trainer.similarity.registry import compare

_some = st.lists(readings(), min_size=2, max_size=3)


def agrees(measure, several, features, similarity, settings_=None, valid=None):
    """Compare all pairs i < j; `features` and `similarity` are the reference's.

    A reading is valid if it has a point, or if `valid` says so of its features.
    """
    result = compare(measure, [gaze(points) for points in several], settings_, jobs=1)
    made = [features(points) for points in several]
    is_valid = [valid(each) for each in made] if valid else [bool(points) for points in several]
    for i, a in enumerate(made):
        for j, b in enumerate(made[i + 1 :], i + 1):
            assert result.matrix[i, j] == pytest.approx(similarity(a, b), abs=1e-6)
            assert result.matrix[j, i] == result.matrix[i, j]
            assert result.valid[i, j] == (is_valid[i] and is_valid[j])


@settings(max_examples=6, deadline=None)
@given(_some)
def test_moment(several) -> None:
    agrees("moment", several, reference_heat.moment_features, reference_heat.moment_similarity)


@settings(max_examples=4, deadline=None)
@given(_some)
def test_moment_sequence(several) -> None:
    agrees(
        "moment_sequence",
        several,
        lambda points: reference_heat.sequence_features(points, 3),
        reference_heat.sequence_similarity,
        {"frames": 3},
    )


@settings(max_examples=6, deadline=None)
@given(_some)
def test_dhash(several) -> None:
    agrees(
        "dhash",
        several,
        reference_heat.dhash_bits,
        reference_heat.dhash_similarity,
        valid=any,
    )


@settings(max_examples=6, deadline=None)
@given(_some)
def test_tima(several) -> None:
    agrees(
        "tima",
        several,
        reference_tima.features,
        reference_tima.align,
        valid=bool,
    )


@settings(max_examples=6, deadline=None)
@given(_some)
def test_tima_downstream_variant(several) -> None:
    agrees(
        "tima",
        several,
        lambda points: reference_tima.features(points, divisor=20),
        lambda a, b: reference_tima.align(a, b, 0.5, 0.5),
        {"min_samples_divisor": 20, "weight_mu": 0.5, "weight_hu": 0.5},
        valid=bool,
    )


@settings(max_examples=15, deadline=None)
@given(_some)
def test_density(several) -> None:
    agrees("density", several, reference_density.features, reference_density.similarity)


@pytest.mark.parametrize("measure", ["moment", "tima", "dhash"])
@pytest.mark.parametrize("canvas", [400, 1000, 333])
def test_other_canvases(measure: str, canvas: int) -> None:
    rng = np.random.default_rng(canvas)
    several = [rng.integers(0, canvas, (40, 2)) * [1, 1] for _ in range(2)]
    result = compare(
        measure, [gaze(p, canvas, canvas) for p in several], {"canvas": canvas}, jobs=1
    )
    if measure == "moment":
        a, b = (reference_heat.moment_features(p, canvas) for p in several)
        expected = reference_heat.moment_similarity(a, b)
    elif measure == "dhash":
        a, b = (reference_heat.dhash_bits(p, canvas) for p in several)
        expected = reference_heat.dhash_similarity(a, b)
    else:
        a, b = (reference_tima.canvas_features(p, canvas) for p in several)
        expected = reference_tima.align(a, b)
    assert result.matrix[0, 1] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(readings(8, 20), st.sampled_from([(800, 800), (800, 500), (120, 300)]))
def test_the_maximum_searched_from_coarse_to_fine_is_that_of_all_pixels(points, size) -> None:
    width, height = size
    wide = {"canvas": max(size), "proportions": "image"}
    found = canvas_points(gaze(points, width, height), MomentParameters(**wide))
    assert (found.width, found.height) == size
    if not len(found.xy):
        return
    whole = reference_heat.blurred([tuple(p) for p in found.xy], width, height)
    highest, alone = highest_of(found, visited(found.xy, width))
    assert highest == pytest.approx(whole.max(), rel=1e-12)
    assert alone == ((whole >= whole.max() * (1 - 1e-9)).sum() == 1)


def test_one_point_on_a_sampled_pixel_is_the_maximum_itself() -> None:
    points = [(412, 412)]
    (mu, hu) = reference_heat.moment_features(points)
    result = compare("moment", [gaze(points), gaze([(400, 100), (600, 700)])], jobs=1)
    other = reference_heat.moment_features([(400, 100), (600, 700)])
    expected = reference_heat.moment_similarity((mu, hu), other)
    assert result.matrix[0, 1] == pytest.approx(expected, abs=1e-9)
    assert not math.isnan(hu)


@settings(max_examples=60, deadline=None)
@given(st.integers(32, 300), st.integers(32, 300), st.integers(2, 32), st.integers(0, 2**32 - 1))
def test_resizing_is_that_of_opencv_to_the_last_grey_level(height, width, count, seed) -> None:
    grey = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    down, across = bilinear_taps(height, count), bilinear_taps(width, count)
    corners = grey[np.ix_(down.pixels, across.pixels)].astype(np.float64)
    found = bilinear(corners, down.weights, across.weights)
    assert found.tolist() == cv2.resize(grey, (count, count)).tolist()
