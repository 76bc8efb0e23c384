"""Every measure is held against an oracle written apart from it; a new one without fails here."""

import itertools
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean as mean
from statistics import median, stdev

import numpy as np
import pytest

from tests.trainer.analysis.made_looks import SCALE, made_look
from trainer.analysis.measures.attention import k_coefficients
from trainer.analysis.measures.dwell import dwell
from trainer.analysis.measures.maps import FixationMap, against_others, pair_of_maps
from trainer.analysis.measures.scan_path import scan_path
from trainer.analysis.measures.scrolling import scrolling
from trainer.analysis.multimatch_pairs import multimatch_of
from trainer.analysis.registry import DEFINITIONS

HERE = Path(__file__).parent


def test_every_measure_stands_in_a_test() -> None:
    told = "\n".join(path.read_text(encoding="utf-8") for path in HERE.rglob("test_*.py"))

    assert [d.name for d in DEFINITIONS if f'"{d.name}"' not in told] == []


@pytest.mark.parametrize("seed", range(3))
def test_scan_path_measures_are_what_counting_one_by_one_finds(seed: int) -> None:
    look = replace(made_look(seed), blinks=7, pupil_mm=3.25)
    ms = [int(us) / 1000 for us in look.duration_us]
    steps = [math.dist(a, b) / SCALE for a, b in itertools.pairwise(look.points_image.tolist())]
    seconds = (look.left_us - look.shown_us) / 1e6

    found = scan_path(look)

    assert found == pytest.approx(
        {
            "time_on_image_ms": 1000 * seconds, "total_dwell_ms": sum(ms), "fixation_count": 40,
            "fixation_rate_hz": 40 / seconds, "mean_fixation_ms": mean(ms),
            "median_fixation_ms": median(ms), "log_fixation_sd": stdev(map(math.log, ms)),
            "path_length_deg": sum(steps), "mean_step_deg": mean(steps), "saccade_count": 39,
            "mean_saccade_deg": mean(look.amplitude_deg.tolist()),
            "mean_peak_velocity_deg_s": mean(look.peak_velocity_deg_s.tolist()),
            "blink_count": 7, "blink_rate_min": 60 * 7 / seconds, "pupil_mm": 3.25,
        }
    )  # fmt: skip


def test_shares_and_means_of_an_area_are_those_of_its_fixations() -> None:
    look = made_look(3)
    inside = np.arange(40) % 3 == 0
    ms = [int(us) / 1000 for us in look.duration_us]
    own = [value for value, there in zip(ms, inside, strict=True) if there]

    found = dwell(look, inside)

    assert (found["hit"], found["fixation_count"]) == (1, len(own))
    assert found["dwell_share"] == pytest.approx(sum(own) / sum(ms))
    assert found["mean_fixation_ms"] == pytest.approx(mean(own))


def test_k_is_its_published_formula_over_all_fixations_that_another_follows() -> None:
    looks = [made_look(1), made_look(2, fixations=25)]
    pairs = [
        [
            (int(look.duration_us[k]) / 1000,
             math.dist(look.points_image[k], look.points_image[k + 1]) / SCALE)
            for k in range(len(look.frame) - 1)
        ]
        for look in looks
    ]  # fmt: skip
    durations, steps = zip(*itertools.chain(*pairs), strict=True)

    def z(value: float, all_: tuple[float, ...]) -> float:
        return (value - mean(all_)) / math.sqrt(mean((v - mean(all_)) ** 2 for v in all_))

    expected = [mean(z(d, durations) - z(a, steps) for d, a in own) for own in pairs]

    found = dict(zip(("k_coefficient", "other"), k_coefficients(looks).tolist(), strict=True))
    assert list(found.values()) == pytest.approx(expected)


def test_drilling_is_frames_scrolled_for_each_degree_on_a_frame() -> None:
    look = replace(made_look(7, frames=4), frame_shown=np.array([0, 2, 1, 3, 3, 0]))
    steps = [
        math.dist(a, b) / SCALE
        for (a, f), (b, g) in itertools.pairwise(
            zip(look.points_image.tolist(), look.frame.tolist(), strict=True)
        )
        if f == g
    ]

    found = scrolling(look)

    assert found["drilling"] == pytest.approx((2 + 1 + 2 + 3) / sum(steps))
    assert found["frames_fixated"] == len(set(look.frame.tolist()))


def _foretold(density: np.ndarray, own: FixationMap) -> dict[str, float]:
    """Return Bylinskii's four measures, each counted out over the cells."""
    d, t = density.ravel().tolist(), own.density.ravel().tolist()
    middle, spread = mean(d), math.sqrt(mean((v - mean(d)) ** 2 for v in d))
    fixated = set(own.cells.tolist())
    rest = [v for k, v in enumerate(d) if k not in fixated]
    wins = [sum((d[k] > v) + (d[k] == v) / 2 for v in rest) for k in fixated]
    p, q = [v / sum(t) for v in t], [v / sum(d) for v in d]
    covariance = mean((a - middle) * (b - mean(t)) for a, b in zip(d, t, strict=True))
    return {
        "nss": mean((d[k] - middle) / spread for k in own.cells.tolist()),
        "auc_judd": mean(wins) / len(rest),
        "kl_nat": sum(a * math.log(1e-12 + a / (b + 1e-12)) for a, b in zip(p, q, strict=True)),
        "density_correlation": covariance / spread / math.sqrt(mean((v - mean(t)) ** 2 for v in t)),
    }


def test_maps_foretell_as_counting_over_their_cells_does() -> None:
    looks = [made_look(k, reader=f"R{k}", fixations=9) for k in range(3)]
    maps = [FixationMap(look, np.zeros(1, np.int64)) for look in looks]
    others = _foretold(maps[1].density + maps[2].density, maps[0])
    centre = _foretold(maps[0].centre(), maps[0])
    there, back = _foretold(maps[0].density, maps[1]), _foretold(maps[1].density, maps[0])

    row = against_others(maps, [look.reader for look in looks])[0]
    pair = pair_of_maps(maps[0], maps[1])

    names = {
        "nss": ("nss_others", "nss_centre"),
        "auc_judd": ("auc_judd_others", "auc_judd_centre"),
        "kl_nat": ("kl_nat_others", "kl_nat_centre"),
        "density_correlation": ("density_correlation_others", "density_correlation_centre"),
    }
    for name, (by_others, by_centre) in names.items():
        assert row[by_others] == pytest.approx(others[name])
        assert row[by_centre] == pytest.approx(centre[name])
        assert pair[name] == pytest.approx((there[name] + back[name]) / 2)


def test_multimatch_of_two_paths_worked_out_by_hand() -> None:
    one = replace(
        made_look(1, fixations=3), points_image=np.array([[0.0, 0], [300, 0], [300, 200]]),
        duration_us=np.array([200_000, 300_000, 400_000]),
    )  # fmt: skip
    other = replace(one, points_image=one.points_image + np.array([60.0, 80.0]),
                    duration_us=np.array([100_000, 300_000, 800_000]))  # fmt: skip

    found = multimatch_of([one, other])[0][1]

    # Moved by (60, 80) = 100 px of an image whose diagonal is hypot(600, 400): only place and
    # durations differ, and saccades are aligned one to one.
    assert found["multimatch_shape"] == pytest.approx(1)
    assert found["multimatch_direction"] == pytest.approx(1)
    assert found["multimatch_length"] == pytest.approx(1)
    assert found["multimatch_position"] == pytest.approx(
        1 - 100 / math.hypot(600, 400),
        abs=2e-3,  # points of the canvas are whole pixels
    )
    assert found["multimatch_duration"] == pytest.approx(1 - median([0.5, 0.0]))
    assert found["multimatch"] == pytest.approx(
        mean(value for name, value in found.items() if name != "multimatch")
    )
