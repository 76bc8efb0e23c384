import sys
import threading
import time
from dataclasses import asdict
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.gaze.pair_rates import positive_rate, threshold_for_rate
from tests.trainer.similarity import reference_tima
from trainer.config.layers import make_config
from trainer.errors import Cancelled, SimilarityError
from trainer.process.set_options import parse_settings
from trainer.similarity import measures
from trainer.similarity.base import FeatureTable, Gaze, PointParameters
from trainer.similarity.dense import pair_count, tiles
from trainer.similarity.items import settings_of
from trainer.similarity.measures import density, dhash, moment, moment_sequence
from trainer.similarity.registry import MEASURES, compare, discover, make_parameters, untaught
from trainer.similarity.task_runner import TaskRunner

_points = st.lists(st.tuples(st.integers(-30, 829), st.integers(-30, 829)), max_size=30)


def gaze(points, **fields) -> Gaze:
    return Gaze(np.array(points, np.float64).reshape(-1, 2), 800, 800, **fields)


def cloud(seed: int, count: int = 60, spread: float = 60.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(rng.uniform(250, 550, 2) + rng.normal(0, spread, (count, 2)), 0, 799)


def reference_heat(points) -> np.ndarray:
    """Return the whole heat map as its definition reads, by OpenCV."""
    canvas = np.zeros((800, 800))
    for x, y in reference_tima.to_canvas(points, 800, 800):
        canvas[y, x] = 1
    if not canvas.any():
        return canvas
    blurred = cv2.GaussianBlur(canvas, (199, 199), 0)
    return np.trunc(blurred / blurred.max() * 255)


def test_the_registry_knows_every_measure() -> None:
    assert {"tima", "moment", "moment_sequence", "dhash", "multimatch", "density"} <= set(MEASURES)
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert make_parameters(name).canvas == 800


@pytest.mark.parametrize("name", sorted(untaught()))
def test_edge_cases_never_crash_and_no_gaze_is_invalid(name: str) -> None:
    gazes = [
        gaze([]),
        gaze([(400, 400)]),
        gaze([(400, 400)] * 30),
        gaze([(np.nan, np.nan)] * 3),
        gaze([(-500, 2000)] * 12),
        gaze(cloud(1)),
    ]
    result = compare(name, gazes, jobs=2)
    assert np.isfinite(result.matrix).all()
    assert (result.matrix == result.matrix.T).all()
    assert ((result.matrix >= 0) & (result.matrix <= 1)).all()
    assert not result.valid[0].any()
    assert not result.valid[3].any()
    assert result.valid[1, 2] == (name != "multimatch")  # that needs three anchors
    assert result.matrix[5, 5] == 1
    dropped = compare(name, gazes, {"off_canvas": "drop"}, jobs=1)
    assert not dropped.valid[4].any()
    assert compare(name, [], jobs=1).matrix.shape == (0, 0)
    assert compare(name, gazes[:1], jobs=1).matrix.shape == (1, 1)


@settings(max_examples=10, deadline=None)
@given(_points)
def test_moments_of_the_whole_map_agree_with_the_definition(points) -> None:
    expected = reference_tima.moments(reference_heat(points)[12::25, 12::25])
    found = moment.features(gaze(points), moment.MomentParameters())
    assert found[0].tolist() == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_moment_similarity_written_out() -> None:
    one = FeatureTable.of([np.array([[100.0, 0.02]])])
    other = FeatureTable.of([np.array([[80.0, 0.05]])])
    found = moment.similarity(one, other, moment.MomentParameters()).values
    assert found[0, 0] == pytest.approx(1 - (0.5 * 0.2 + 0.5 * 0.6))
    dental = moment.MomentParameters(weight_mu=0.2, weight_hu=0.8)
    assert moment.similarity(one, other, dental).values[0, 0] == pytest.approx(1 - (0.04 + 0.48))


def test_two_blank_maps_score_a_half_and_are_invalid() -> None:
    result = compare("moment", [gaze([]), gaze([])], jobs=1)
    assert result.matrix.tolist() == [[1, 0.5], [0.5, 1]]
    assert not result.valid.any()


def test_repeated_points_do_not_add_in_the_whole_map() -> None:
    once, often = gaze([(300, 300), (500, 500)]), gaze([(300, 300)] * 9 + [(500, 500)])
    assert compare("moment", [once, often], jobs=1).matrix[0, 1] == 1


def test_moment_is_blind_to_a_shift_and_dhash_and_density_are_not() -> None:
    points = cloud(2, spread=20) * 0.3 + 150
    both = [gaze(points), gaze(points + 300)]
    assert compare("moment", both, jobs=1).matrix[0, 1] == pytest.approx(1, abs=1e-9)
    assert compare("dhash", both, jobs=1).matrix[0, 1] < 0.5
    assert compare("density", both, jobs=1).matrix[0, 1] < 1e-3


def test_a_sequence_of_moments_is_the_mean_over_equal_runs() -> None:
    first, second = cloud(3), cloud(4, 41)
    result = compare("moment_sequence", [gaze(first), gaze(second)], {"frames": 3}, jobs=1)
    parts = []
    for k in range(3):
        a = first[len(first) * k // 3 : len(first) * (k + 1) // 3]
        b = second[len(second) * k // 3 : len(second) * (k + 1) // 3]
        parts.append(compare("moment", [gaze(a), gaze(b)], jobs=1).matrix[0, 1])
    assert result.matrix[0, 1] == pytest.approx(np.mean(parts))
    one = moment_sequence.MomentSequenceParameters(frames=1)
    whole = moment.features(gaze(first), moment.MomentParameters())
    assert moment_sequence.features(gaze(first), one).tolist() == whole.tolist()


@settings(max_examples=10, deadline=None)
@given(_points)
def test_dhash_bits_agree_with_the_definition(points) -> None:
    heat = reference_heat(points)
    small = reference_tima.resized(heat, 9, 8)
    found = dhash.features(gaze(points), PointParameters()).reshape(8, 8)
    assert found.tolist() == (small[:, :-1] > small[:, 1:]).tolist()


def test_dhash_similarity_is_the_cosine_of_the_bits() -> None:
    bits = np.zeros((3, 64))
    bits[0, :4], bits[1, 2:6] = 1, 1
    table = FeatureTable.of([row[None, :] for row in bits])
    result = dhash.similarity(table, table, PointParameters())
    assert result.values[0, 1] == pytest.approx(2 / 4)
    assert result.values.diagonal().tolist() == [1, 1, 0]
    assert result.valid[2].tolist() == [False] * 3


def test_density_falls_smoothly_with_a_shift_and_sees_order_and_dwell() -> None:
    points = cloud(5)
    values = [
        compare("density", [gaze(points), gaze(points + s)], jobs=1).matrix[0, 1]
        for s in range(0, 240, 20)
    ]
    assert values[0] == pytest.approx(1)
    assert all(a > b for a, b in pairwise(values))
    assert max(a - b for a, b in pairwise(values)) < 0.25
    there = [(200, 200)] * 30 + [(600, 600)] * 30
    back = there[::-1]
    assert compare("density", [gaze(there), gaze(back)], jobs=1).matrix[0, 1] < 0.4
    unordered = compare("density", [gaze(there), gaze(back)], {"phases": 1}, jobs=1)
    assert unordered.matrix[0, 1] == pytest.approx(1)


def test_density_weighs_by_time_where_it_is_known() -> None:
    points = [(200, 200)] * 10 + [(600, 600)] * 10
    slow = np.concatenate((np.arange(10) * 10_000, 100_000 + np.arange(10) * 20_000))
    one = {"phases": 1}
    by_order = compare("density", [gaze(points), gaze(points)], one, jobs=1)
    by_time = compare("density", [gaze(points), gaze(points, time_us=slow)], one, jobs=1)
    assert by_order.matrix[0, 1] == pytest.approx(1)
    assert by_time.matrix[0, 1] < 0.97
    vector = density.features(gaze(points, time_us=slow), density.DensityParameters(phases=1))
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_threads_do_not_change_the_result() -> None:
    gazes = [gaze(cloud(k, 30)) for k in range(20)]
    for name in untaught():
        one, two = (compare(name, gazes, jobs=jobs) for jobs in (1, 2))
        np.testing.assert_array_equal(one.matrix, two.matrix)


def test_progress_rises_to_the_end_and_parameters_are_told() -> None:
    steps: list[tuple[int, int]] = []
    gazes = [gaze(cloud(k)) for k in range(10)]
    result = compare("tima", gazes, {"eps": "0.3"}, lambda *step: steps.append(step), jobs=2)
    assert steps == sorted(steps)
    assert steps[-1] == (20, 20)
    assert result.parameters["eps"] == 0.3
    assert result.parameters["min_samples_divisor"] == 10
    assert result.seconds > 0


def test_a_stop_is_heeded_between_blocks() -> None:
    asked = iter([False])
    with pytest.raises(Cancelled):
        compare("tima", [gaze(cloud(k)) for k in range(100)], cancelled=lambda: next(asked, True))


def test_a_stop_lets_begun_tasks_end_and_starts_no_other() -> None:
    begun: list[int] = []
    stop = threading.Event()

    def task() -> None:
        begun.append(1)
        stop.set()
        time.sleep(0.05)

    with pytest.raises(Cancelled):
        TaskRunner(1, cancelled=stop.is_set).run([(task, 1)] * 50, 50)
    assert len(begun) < 50


def test_an_error_in_a_task_reaches_the_caller() -> None:
    with pytest.raises(SimilarityError, match="image size must be positive"):
        compare("tima", [Gaze(np.zeros((3, 2)), 0, 10)], jobs=2)


def test_an_unknown_measure_is_named_with_those_there_are() -> None:
    with pytest.raises(SimilarityError, match=r"'timer'. Measures: .*tima"):
        compare("timer", [])


@pytest.mark.parametrize("count", [0, 1, 7, 30])
def test_tiles_cover_the_triangle_once(count: int) -> None:
    seen = np.zeros((count, count), int)
    for rows, columns in tiles(count, 7):
        seen[rows, columns] += 1
    upper = np.triu_indices(count, 1)
    assert (seen[upper] == 1).all()
    assert sum(pair_count(*t) for t in tiles(count, 7)) == len(upper[0])


def test_rates_count_valid_pairs_off_the_diagonal() -> None:
    matrix = np.array(
        [[1, 0.9, 0.5, 0.7], [0.9, 1, 0.7, 0.2], [0.5, 0.7, 1, 0.8], [0.7, 0.2, 0.8, 1]]
    )
    valid = np.ones((4, 4), bool)
    assert positive_rate(matrix, valid, 0.7) == pytest.approx(2 / 6)
    valid[0, 1] = valid[1, 0] = False
    assert positive_rate(matrix, valid, 0.7) == pytest.approx(1 / 5)
    assert positive_rate(matrix, np.zeros((4, 4), bool), 0.7) == 0


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9, 1.0]), min_size=10, max_size=10),
    st.floats(0, 1),
)
def test_the_threshold_for_a_rate_is_the_lowest_that_does_not_exceed_it(values, rate) -> None:
    matrix, valid = np.eye(5), np.ones((5, 5), bool)
    upper = np.triu_indices(5, 1)
    matrix[upper] = values
    matrix = np.maximum(matrix, matrix.T)
    threshold = threshold_for_rate(matrix, valid, rate)
    assert positive_rate(matrix, valid, threshold) <= rate + 1e-9
    lower = [v for v in values if v < threshold]
    if lower:
        assert positive_rate(matrix, valid, np.nextafter(threshold, -1)) > rate - 1e-9


_SEVENTH = """
import numpy as np
from trainer.similarity.base import CanvasParameters, Measure, Pairs

def features(gaze, parameters):
    return np.array([[float(len(gaze.points_image))]])

def similarity(a, b, parameters):
    more = np.maximum.outer(a.flat[:, 0], b.flat[:, 0])
    less = np.minimum.outer(a.flat[:, 0], b.flat[:, 0])
    return Pairs(less / np.maximum(more, 1), more > 0)

MEASURE = Measure("length", "Number of points", CanvasParameters, features, similarity)
"""


def test_a_seventh_measure_is_one_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "length.py").write_text(_SEVENTH)
    monkeypatch.setattr(measures, "__path__", [*measures.__path__, str(tmp_path)])
    try:
        found = discover(measures)
    finally:
        sys.modules.pop("trainer.similarity.measures.length", None)
    assert set(found) == {*MEASURES, "length"}
    monkeypatch.setitem(MEASURES, "length", found["length"])
    result = compare("length", [gaze([(1, 1)] * 4), gaze([(2, 2)] * 8)], {"canvas": 400}, jobs=1)
    assert result.matrix.tolist() == [[1, 0.5], [0.5, 1]]
    assert make_config({"measure": "length"}).measure == "length"


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_every_parameter_is_taken_by_a_training_run(name: str) -> None:
    parameters = asdict(make_parameters(name)) | {"combine": "max", "reader": "R01"}
    words = [f"measure_parameters.{key}={value}" for key, value in parameters.items()]
    config = make_config({"measure": name}, parse_settings(words))
    items, made = settings_of(config.measure, config.measure_parameters)
    assert made == make_parameters(name)
    assert (items.combine, items.reader) == ("max", "R01")
