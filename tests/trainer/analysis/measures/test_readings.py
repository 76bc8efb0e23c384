"""Measures of a reading against their definitions, computed another way."""

import math

import numpy as np
import pytest

from tests.trainer.analysis.made_looks import SCALE, made_look
from trainer.analysis.looked import Looked
from trainer.analysis.measures.attention import k_coefficients
from trainer.analysis.measures.coverage import coverage, coverage_curve
from trainer.analysis.measures.recurrence import recurrence
from trainer.analysis.measures.scan_path import scan_path
from trainer.analysis.measures.scrolling import scrolling
from trainer.analysis.measures.transitions import transition_counts, transitions


def test_the_path_is_the_sum_of_steps_within_a_frame() -> None:
    look = made_look(1, frames=3)
    expected = sum(
        math.dist(a, b) / SCALE
        for a, b, f, g in zip(
            look.points_image, look.points_image[1:], look.frame, look.frame[1:], strict=False
        )
        if f == g
    )

    assert scan_path(look)["path_length_deg"] == pytest.approx(expected)


def test_without_geometry_there_are_no_degrees() -> None:
    look = made_look(1)
    bare = _with(look, px_per_deg=np.full(40, np.nan))

    assert np.isnan(scan_path(bare)["path_length_deg"])
    assert np.isnan(coverage(bare)["coverage"])
    assert np.isnan(recurrence(bare)["recurrence_pct"])


def test_a_reading_without_a_fixation_has_counts_of_zero_and_no_means() -> None:
    found = scan_path(made_look(1, fixations=0))

    assert (found["fixation_count"], found["path_length_deg"]) == (0, 0.0)
    assert np.isnan(found["mean_fixation_ms"])


def test_coverage_is_the_share_of_cells_near_a_fixation() -> None:
    look = made_look(2, fixations=6)
    side = 600 / 128
    covered = total = 0
    for row in range(128):
        for column in range(128):
            x, y = (column + 0.5) * side, (row + 0.5) * side
            if x < 600 and y < 400:
                total += 1
                covered += any(
                    math.dist((x, y), point) <= 2.5 * SCALE for point in look.points_image
                )

    assert coverage(look)["coverage"] == pytest.approx(covered / total)


def test_coverage_is_computed_once_for_the_table_and_the_figure() -> None:
    look = made_look(3)
    curve = coverage_curve(look)
    wider = coverage_curve(look, 4.0)

    assert coverage_curve(look) is curve
    assert curve is not None
    assert wider is not None
    assert wider[-1] > curve[-1]
    assert coverage(look)["coverage"] == curve[-1]
    with pytest.raises(ValueError, match="read-only"):
        curve[0] = 1.0


def test_coverage_only_grows_and_half_is_reached_where_the_curve_says() -> None:
    look = made_look(3)
    curve = coverage_curve(look)

    assert curve is not None
    assert np.all(np.diff(curve) >= 0)
    first = int(np.argmax(curve >= 0.5))
    end_ms = (look.start_us[first] + look.duration_us[first] - look.shown_us) / 1000
    assert coverage(look)["time_to_half_coverage_ms"] == pytest.approx(end_ms)


def test_recurrence_counts_pairs_as_its_authors_do() -> None:
    look = made_look(4)
    n, points = 40, look.points_image
    near = [
        [i < j and math.dist(points[i], points[j]) <= 2 * SCALE for j in range(n)] for i in range(n)
    ]
    pairs = [(i, j) for i in range(n) for j in range(n) if near[i][j]]

    def on(di: int, dj: int) -> int:
        def at(i: int, j: int) -> bool:
            return 0 <= i < n and 0 <= j < n and near[i][j]

        return sum(at(i + di, j + dj) or at(i - di, j - dj) for i, j in pairs)

    found = recurrence(look)

    assert found["recurrence_pct"] == pytest.approx(100 * 2 * len(pairs) / (n * (n - 1)))
    assert found["determinism_pct"] == pytest.approx(100 * on(1, 1) / len(pairs))
    assert found["laminarity_pct"] == pytest.approx(100 * (on(1, 0) + on(0, 1)) / (2 * len(pairs)))
    assert found["recurrence_centre_pct"] == pytest.approx(
        100 * sum(j - i for i, j in pairs) / ((n - 1) * len(pairs))
    )


def test_k_is_above_zero_for_long_fixations_and_short_steps() -> None:
    focal = _with(made_look(5), duration_us=np.full(40, 500_000))
    focal = _with(focal, points_image=focal.points_image * 0.1)
    ambient = _with(made_look(6), duration_us=np.full(40, 100_000))

    k = k_coefficients([focal, ambient])

    assert k[0] > 0 > k[1]
    assert np.isnan(k_coefficients([made_look(1, fixations=1)])).all()


def test_scrolling_counts_frames_changes_and_passes() -> None:
    shown = np.array([0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 6, 2, 0])
    look = _with(
        made_look(7, frames=8),
        frame_shown=shown,
        frame_time_us=np.arange(len(shown)) * 100_000 + 1_000_000,
    )

    found = scrolling(look)

    # Down 7, up 2 (a quarter of 7 is 1.75), down 1 (too short), up 6.
    assert found["depth_passes"] == 3
    assert found["frame_changes"] == 12
    assert found["frames_per_s"] == pytest.approx(16 / ((look.left_us - look.shown_us) / 1e6))


def test_transitions_are_moves_from_area_straight_to_area() -> None:
    visited = np.array([0, 0, 1, -1, 2, 1, 0, 1])

    counts = transition_counts(visited, 3)

    assert counts.tolist() == [[0, 2, 0], [1, 0, 0], [0, 1, 0]]


def test_entropy_is_highest_where_every_move_is_as_likely() -> None:
    duration = np.ones(9, np.int64)
    even = transitions(np.array([0, 1, 2, 0, 2, 1, 0, 1, 2]), duration, 3)
    fixed = transitions(np.array([0, 1, 2, 0, 1, 2, 0, 1, 2]), duration, 3)

    assert fixed["transition_entropy_bit"] == pytest.approx(0)
    assert even["transition_entropy_bit"] > 0.5
    assert even["stationary_entropy_bit"] == pytest.approx(math.log2(3))


def _with(look: Looked, **changes: object) -> Looked:
    from dataclasses import replace

    return replace(look, **changes)  # type: ignore[arg-type]
