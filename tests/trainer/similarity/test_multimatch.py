import json
import warnings

import multimatch_gaze
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.made_readings import gaze, readings
from tests.trainer.similarity import reference_multimatch, reference_tima
from trainer.errors import SimilarityError
from trainer.similarity.base import canvas_points
from trainer.similarity.measures import multimatch
from trainer.similarity.measures.multimatch import DIMENSIONS, MultiMatchParameters, _medians
from trainer.similarity.registry import compare

PLAIN = {"grouping": False, "screen_width": 800, "screen_height": 800}
_FIELDS = [("start_x", "f8"), ("start_y", "f8"), ("duration", "f8")]


def five(a, b, **settings_):
    result = compare("multimatch", [gaze(a), gaze(b)], settings_, jobs=1, by_dimension=True)
    return result.matrix[0, 1], bool(result.valid[0, 1])


def scan(seed: int, places: int, spread: float, canvas: int = 800) -> list[tuple[int, int]]:
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, places, 40 * places))
    points = rng.uniform(40, canvas - 40, (places, 2))[at] + rng.normal(0, spread, (len(at), 2))
    return [(int(x), int(y)) for x, y in np.clip(points, 0, canvas - 1)]


def oracle(a, b, **options):
    """multimatch_gaze on the anchors; None where it ends with an error."""
    tables = [np.array(reference_multimatch.anchors(p), dtype=_FIELDS) for p in (a, b)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return multimatch_gaze.docomparison(*tables, **options)
    except (ValueError, IndexError, ZeroDivisionError):
        return None


@pytest.mark.parametrize("seed", range(40))
def test_released_settings_are_those_of_multimatch_gaze(seed: int) -> None:
    a = scan(2 * seed, 3 + seed % 9, 10 + seed)
    b = scan(2 * seed + 1, 3 + seed % 7, 50 - seed)
    expected = oracle(a, b, screensize=[1920, 1080], grouping=True, TDir=45, TDur=100, TAmp=160)
    found, valid = five(a, b)
    if expected is None:
        assert np.isfinite(found).all()
    elif np.isnan(expected).any():
        assert (found.tolist(), valid) == ([0.0] * 5, False)
    else:
        assert valid
        np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    "thresholds", [(45, 100, 160), (90, 3, 400), (10, 20, 60), (180, 1e9, 1e9)]
)
def test_grouping_follows_its_thresholds(thresholds) -> None:
    turn, duration, length = thresholds
    compared = 0
    for seed in range(8):
        a, b = scan(seed, 6, 30), scan(100 + seed, 5, 25)
        expected = oracle(
            a, b, screensize=[800, 800], grouping=True, TDir=turn, TDur=duration, TAmp=length
        )
        found, _ = five(
            a, b, direction_deg=turn, duration=duration, amplitude_px=length,
            screen_width=800, screen_height=800,
        )  # fmt: skip
        assert np.isfinite(found).all()
        if expected is not None:
            np.testing.assert_allclose(found, expected, atol=1e-9)
            compared += 1
    assert compared >= 4 or thresholds == (180, 1e9, 1e9)


@settings(max_examples=60, deadline=None)
@given(readings(9, 6), readings(9, 6))
def test_plain_settings_agree_with_the_definition(a, b) -> None:
    pixels = [reference_tima.to_canvas(points, 800, 800) for points in (a, b)]
    anchors = [reference_multimatch.anchors(p) for p in pixels]
    expected, unique = reference_multimatch.five(*anchors, 800, 800)
    found, valid = five(a, b, **PLAIN)
    assert valid == (min(len(x) for x in anchors) >= 3)
    if unique:
        np.testing.assert_allclose(found, expected, atol=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=60))
def test_anchors(points) -> None:
    xy = np.array(points, np.int64).reshape(-1, 2)
    assert multimatch.group_by_anchor(xy, 40).tolist() == [
        list(anchor) for anchor in reference_multimatch.anchors(points)
    ]


def test_fewer_than_three_anchors_are_five_zeros_even_against_itself() -> None:
    two = [(100, 100), (300, 100), (500, 100)]  # the last group is not an anchor
    three = [*two, (700, 100)]
    result = compare("multimatch", [gaze(two), gaze(three), gaze([])], jobs=1, by_dimension=True)
    assert result.matrix[0].tolist() == [[0.0] * 5] * 3
    assert result.matrix[1, 1].tolist() == [1.0] * 5
    assert result.valid.tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_one_number_is_the_mean_or_the_named_dimension() -> None:
    a, b = scan(1, 6, 20), scan(2, 7, 20)
    values, _ = five(a, b)
    gazes = [gaze(a), gaze(b)]
    assert compare("multimatch", gazes, jobs=1).matrix[0, 1] == pytest.approx(values.mean())
    for k, name in enumerate(DIMENSIONS):
        one = compare("multimatch", gazes, {"dimension": name}, jobs=1)
        assert one.matrix[0, 1] == values[k]


def test_fixations_bring_their_own_durations() -> None:
    places = np.array([(100.0, 100), (120, 110), (500, 400), (300, 600)])
    slow, quick = (np.array(ms, np.int64) * 1000 for ms in ([400, 200, 300, 250], [200] * 4))
    gazes = [gaze([], fixations_image=places, fixation_us=us) for us in (slow, quick)]
    plain = {**PLAIN, "source": "fixations"}
    result = compare("multimatch", gazes, plain, jobs=1, by_dimension=True)
    assert result.matrix[0, 1, :4].tolist() == [1, 1, 1, 1]
    # 400, 200 and 300 ms go with the three saccades: ½, 0 and ⅓ apart.
    assert result.matrix[0, 1, 4] == pytest.approx(1 - 1 / 3)
    with pytest.raises(SimilarityError, match="no fixations"):
        compare("multimatch", [gaze([(1, 1)])], plain, jobs=1)


@pytest.mark.parametrize("zero", [0, 5])
def test_saccades_without_length_or_duration_do_not_crash(zero: int) -> None:
    places = np.array([(100.0, 100)] * 3 + [(400, 400)] * 3)
    gazes = [gaze([], fixations_image=places, fixation_us=np.full(6, zero, np.int64))] * 2
    result = compare("multimatch", gazes, {"source": "fixations"}, jobs=1, by_dimension=True)
    assert np.isfinite(result.matrix).all()


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"dimension": "width"}, "dimension must be mean, shape, direction"),
        ({"source": "samples"}, "source must be anchors or fixations"),
        ({"screen_width": 0}, "screen_width, screen_height must be above 0"),
        ({"grouping": "maybe"}, "multimatch.grouping must be true or false"),
        ({"amplitude_px": -1}, "amplitude_px must be 0 or more"),
    ],
)
def test_a_wrong_parameter_is_named(setting, said) -> None:
    with pytest.raises(SimilarityError, match=said):
        compare("multimatch", [], setting)


def test_parameters_are_json() -> None:
    result = compare("multimatch", [], {"grouping": "false", "duration": "50"}, jobs=1)
    assert json.loads(json.dumps(result.parameters))["duration"] == 50.0
    assert result.parameters["grouping"] is False


def test_points_off_the_canvas_follow_the_parameter() -> None:
    inside = [(100, 100), (300, 100), (500, 500), (100, 600)]
    outside = [(100, 100), (900, 900), (300, 100), (500, 500), (100, 600)]
    assert len(canvas_points(gaze(outside), MultiMatchParameters(off_canvas="drop")).xy) == 4
    found, _ = five(inside, outside, off_canvas="drop", **PLAIN)
    assert found.tolist() == [1.0] * 5
    clipped, _ = five(inside, outside, **PLAIN)
    assert clipped.tolist() != [1.0] * 5


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 40, 128, 129, 250])
def test_medians_of_few_and_of_many_are_those_of_each_dimension(rows: int) -> None:
    values = np.random.default_rng(rows).integers(0, 9, (rows, 8)).astype(np.float64)
    found, expected = np.empty(8), np.median(values, axis=0)
    _medians(values.copy(), found)
    np.testing.assert_array_equal(found[:5], expected[:5])
