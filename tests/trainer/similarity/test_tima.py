import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN

from tests.trainer.similarity import reference_tima
from trainer.errors import SimilarityError
from trainer.similarity.base import FeatureTable, Gaze, canvas_points
from trainer.similarity.clusters import dbscan
from trainer.similarity.measures import tima
from trainer.similarity.measures.tima import TimaParameters
from trainer.similarity.registry import compare


def gaze(points, width=800, height=800):
    return Gaze(np.array(points, np.float64).reshape(-1, 2), width, height)


def similar(a, b, **parameters):
    result = compare("tima", [gaze(a), gaze(b)], parameters, jobs=1)
    return result.matrix[0, 1], result.valid[0, 1]


def aligned(a, b, **parameters):
    sequences = [np.array(a, np.float64).reshape(-1, 2), np.array(b, np.float64).reshape(-1, 2)]
    one, other = (FeatureTable.of([sequence]) for sequence in sequences)
    return tima.similarity(one, other, TimaParameters(**parameters)).values[0, 0]


def labels_of(points):
    parameters = TimaParameters()
    return tima.cluster_labels(canvas_points(gaze(points), parameters), parameters)


@st.composite
def readings(draw):
    """Fixations of different lengths, each a cloud of samples; some of them off the canvas."""
    points = []
    for _ in range(draw(st.integers(0, 4))):
        x, y = draw(st.integers(-40, 840)), draw(st.integers(-40, 840))
        spread = st.integers(-12, 12)
        for dx, dy in draw(st.lists(st.tuples(spread, spread), min_size=1, max_size=12)):
            points.append((x + dx, y + dy))
    return points


def test_one_point_is_one_cluster_with_the_moments_written_out() -> None:
    # 32 × 32 positions are pixels 25k + 12; within −40 … 39 of pixel 400 lie 362, 387, 412, 437.
    offsets, s = (-38, -13, 12, 37), 80 / 6
    grid = [
        [round(255 * math.exp(-(x * x + y * y) / (2 * s * s))) for x in offsets] for y in offsets
    ]
    assert grid == [[0, 3, 3, 0], [3, 99, 106, 3], [3, 106, 113, 4], [0, 3, 4, 0]]
    sums = [6, 211, 226, 7]  # of rows, and of columns alike
    mean = (211 + 2 * 226 + 3 * 7) / 450
    spread = 2 * sum((k - mean) ** 2 * line for k, line in enumerate(sums))
    ((mu, hu),) = tima.features(gaze([(400, 400)]), TimaParameters())
    assert mu == 450
    assert hu == pytest.approx(spread / 450**2, abs=1e-15)


def test_two_far_points_held_for_long_are_two_clusters_in_order_of_time() -> None:
    points = [(700, 700)] * 20 + [(100, 100)] * 20
    labels = labels_of(points)
    assert labels.tolist() == [0] * 20 + [1] * 20


def test_the_same_place_looked_at_twice_with_a_pause_between_is_two_clusters() -> None:
    points = [(200, 200)] * 20 + [(600, 600)] * 20 + [(200, 200)] * 20
    labels = labels_of(points)
    assert labels.tolist() == [0] * 20 + [1] * 20 + [2] * 20


def test_gaze_moved_by_300_px_scores_one() -> None:
    points = [(150 + 3 * (i % 5), 160 + 2 * (i % 7)) for i in range(40)]
    moved = [(x + 300, y + 300) for x, y in points]
    assert similar(points, moved) == (1.0, True)


def test_no_point_and_one_point_is_zero_and_invalid() -> None:
    result = compare("tima", [gaze([]), gaze([(1, 1)]), gaze([])], jobs=1)
    assert result.matrix.tolist() == np.eye(3).tolist()
    assert result.valid.tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_points_that_are_all_noise_make_no_cluster() -> None:
    # 10 points need floor(10/10) + 1 = 2 in reach; these lie more than 0.2 apart.
    points = [(80 * (i % 2) * 9, 79 * i) for i in range(10)]
    assert len(tima.features(gaze(points), TimaParameters())) == 0
    assert similar(points, [(400, 400)] * 10) == (0.0, False)


def test_constant_gaze_is_alike_whatever_its_length() -> None:
    # Longer than 0.2 of the reading in time, but linked sample by sample: one cluster.
    assert similar([(400, 400)] * 7, [(400, 400)] * 90) == (1.0, True)


def test_points_off_the_canvas_are_clipped_or_dropped() -> None:
    inside = [(0, 400)] * 10
    outside = [(-300.5, 400)] * 10
    assert similar(inside, outside) == (1.0, True)
    assert similar(inside, outside, off_canvas="drop") == (0.0, False)


def test_points_that_are_nan_are_left_out() -> None:
    points = [(400, 400)] * 10
    assert similar(points, [*points, (np.nan, np.nan)]) == (1.0, True)


def test_gaze_is_scaled_from_the_image_to_the_canvas() -> None:
    wide = gaze([(1000.0, 250.0)] * 10, 2000, 500)
    square = gaze([(400, 400)] * 10)
    assert compare("tima", [wide, square], jobs=1).matrix[0, 1] == 1.0


def test_alignment_written_out() -> None:
    # Costs 0.7·0.5 + 0.3·0.5 = 0.5, then 0: D = 0.5 over K = 2 cells.
    assert aligned([(1, 1)], [(2, 2), (1, 1)]) == pytest.approx(0.75)
    # All costs 0.5: the diagonal costs 1.0 over 2 cells.
    assert aligned([(1, 1), (1, 1)], [(2, 2), (2, 2)]) == pytest.approx(0.5)
    # Only mu differs: 0.7 · |2 − 8| / 8.
    assert aligned([(2, 5)], [(8, 5)]) == pytest.approx(1 - 0.7 * 0.75)
    assert aligned([(2, 5)], [(8, 5)], weight_mu=0.5, weight_hu=0.5) == pytest.approx(1 - 0.375)


def test_a_missing_hu_counts_as_wholly_different() -> None:
    assert aligned([(0, math.nan)], [(0, math.nan)]) == pytest.approx(1 - 0.3)


# Values whose differences are 0, ½ or 1, and weights that keep all sums exact: ties everywhere.
_ties = st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from([1, 2, math.nan])), max_size=6)


@settings(max_examples=200, deadline=None)
@given(_ties, _ties)
def test_ties_are_broken_as_in_a_trace_back_from_the_end(a, b) -> None:
    expected = reference_tima.align(a, b, 0.5, 0.5)
    assert aligned(a, b, weight_mu=0.5, weight_hu=0.5) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=60),
    st.floats(0.05, 0.4),
    st.integers(1, 12),
)
def test_clusters_are_those_of_scikit_learn_border_points_included(points, eps, least) -> None:
    space_time = np.array([(x / 40, y / 40, i / len(points)) for i, (x, y) in enumerate(points)])
    apart = np.linalg.norm(space_time[:, None] - space_time[None], axis=2)
    # Below 12 points scikit-learn multiplies distances out: at eps itself it rounds either way.
    assume(not np.isclose(apart, eps, rtol=0, atol=1e-9).any())
    expected = DBSCAN(eps=eps, min_samples=least).fit_predict(space_time)
    assert dbscan(space_time, eps, least).tolist() == expected.tolist()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(50, 600), st.booleans())
def test_clusters_of_long_readings_are_those_of_scikit_learn(seed, n, shuffled) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 800, (9, 2))[rng.integers(0, 9, n)] + rng.integers(-60, 60, (n, 2))
    space_time = np.column_stack((np.clip(points, 0, 799) / 800, np.arange(n) / n))
    if shuffled:
        rng.shuffle(space_time)
    expected = DBSCAN(eps=0.2, min_samples=n // 10 + 1).fit_predict(space_time)
    assert dbscan(space_time, 0.2, n // 10 + 1).tolist() == expected.tolist()


def test_a_border_point_goes_to_the_first_cluster_that_reaches_it() -> None:
    # The point at 0.12 reaches 0.02 and 0.22, both core; with itself it has 3 in reach, not 4.
    points = np.array([(x, 0.0, 0.0) for x in (0.0, 0.01, 0.02, 0.12, 0.22, 0.23, 0.24)])
    assert dbscan(points, 0.105, 4).tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert dbscan(points[::-1].copy(), 0.105, 4).tolist() == [0, 0, 0, 0, 1, 1, 1]


@settings(max_examples=15, deadline=None)
@given(readings())
def test_features_agree_with_the_definition(points) -> None:
    expected = reference_tima.features(points)
    found = tima.features(gaze(points), TimaParameters())
    assert found.tolist() == [pytest.approx(pair, rel=1e-12) for pair in expected]


@settings(max_examples=8, deadline=None)
@given(st.lists(readings(), min_size=2, max_size=4))
def test_similarity_agrees_with_the_definition(several) -> None:
    result = compare("tima", [gaze(points) for points in several], jobs=2)
    sequences = [reference_tima.features(points) for points in several]
    for i, a in enumerate(sequences):
        for j, b in enumerate(sequences[i + 1 :], i + 1):
            assert result.matrix[i, j] == pytest.approx(reference_tima.align(a, b), abs=1e-6)
            assert result.valid[i, j] == (bool(a) and bool(b))


def test_the_minimum_of_a_map_that_covers_the_canvas_is_taken_off() -> None:
    # A canvas of 40 px has windows of 4 px; points everywhere leave no pixel at 0.
    points = [(x, y) for y in range(40) for x in range(40)]
    found = tima.features(gaze(points, 40, 40), TimaParameters(canvas=40, eps=2.0))
    heat = reference_tima.heat_map(points, 40)
    assert heat.min() == 0
    grid = reference_tima.resized(heat)
    assert found[0].tolist() == pytest.approx(reference_tima.moments(grid), rel=1e-12)


@pytest.mark.parametrize("canvas", [32, 90, 101, 250])
def test_windows_of_canvases_that_are_no_multiple_of_20_hold_the_whole_offsets(canvas) -> None:
    rng = np.random.default_rng(canvas)
    points = [(int(x), int(y)) for x, y in rng.integers(0, canvas, (60, 2))]
    parameters = TimaParameters(canvas=canvas, eps=2.0)
    found = tima.features(gaze(points, canvas, canvas), parameters)
    grid = reference_tima.resized(reference_tima.heat_map(points, canvas))
    expected = reference_tima.moments(grid)
    assert found[0].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"eps": 0}, "eps must be above 0"),
        ({"min_samples_divisor": 0}, "min_samples_divisor must be at least 1"),
        ({"canvas": 8}, "canvas must be at least 32"),
        ({"off_canvas": "wrap"}, "off_canvas must be clip or drop"),
        ({"weight_mu": -1.0}, "weight_mu, weight_hu must be 0 or more"),
        ({"epsilon": 0.1}, "tima has no parameter 'epsilon'"),
        ({"eps": "wide"}, "tima.eps must be a number"),
        ({"canvas": 800.5}, "tima.canvas must be a whole number"),
    ],
)
def test_a_wrong_parameter_is_named(setting, said) -> None:
    with pytest.raises(SimilarityError, match=said):
        compare("tima", [], setting)
