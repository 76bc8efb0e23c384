"""The controlled study's own parts: what its claims rest on."""

import json

import numpy as np
import pytest


def test_phantoms_are_repeatable_and_patients_whole() -> None:
    from bench.study.phantoms import CLASSES, SIDE, make_phantoms

    some, again = make_phantoms(18, 3), make_phantoms(18, 3)
    assert all((a.grey == b.grey).all() for a, b in zip(some, again, strict=True))
    assert some[0].grey.shape == (SIDE, SIDE)
    assert {p.label for p in some} == set(CLASSES)
    assert all(len({p.label for p in some if p.patient == k}) == 1 for k in range(6))
    for p in some:
        assert (p.lesion is None) == (p.label == "normal")


def test_gaze_carries_the_class_by_where_and_how_long_alone() -> None:
    from bench.study.gaze import Tracker, read_all
    from bench.study.phantoms import make_phantoms

    phantoms = make_phantoms(27, 0)
    readings = [own[0] for own in read_all(phantoms, 1, Tracker(), 0)]
    spread: dict[str, list[float]] = {}
    share_on: list[float] = []
    outwards: dict[str, list[float]] = {"mass": [], "spiculated": []}
    for phantom, gaze in zip(phantoms, readings, strict=True):
        points = gaze.points_image[np.isfinite(gaze.points_image).all(axis=1)]
        assert len(points) > 300
        spread.setdefault(phantom.label, []).append(np.median(np.abs(points - points.mean(0))))
        if phantom.lesion is not None:
            x, y, reach = phantom.lesion
            distance = np.hypot(*(points - (x, y)).T) / reach
            on = distance < 2
            share_on.append(float(on.mean()))
            outwards[phantom.label].append(float((distance[on] > 0.8).mean()))
    # Readers differ, and one may hurry over one lesion; over all it holds the gaze.
    assert min(share_on) > 0.25
    assert np.mean(share_on) > 0.4
    assert max(np.mean(spread["mass"]), np.mean(spread["spiculated"])) < np.mean(spread["normal"])
    assert np.mean(outwards["spiculated"]) > np.mean(outwards["mass"]) + 0.1


@pytest.mark.parametrize(("g", "kept"), [(1.0, 40), (0.5, 20), (0.0, 0)])
def test_the_degree_is_the_share_that_stays(g: float, kept: int) -> None:
    from bench.study.gaze import permuted

    readings = [[k] for k in range(40)]  # anything that can change places
    mixed = permuted(readings, g, np.random.default_rng(0))  # type: ignore[arg-type]
    assert sorted(own[0] for own in mixed) == list(range(40))
    same = sum(own == [k] for k, own in enumerate(mixed))
    assert kept <= same <= kept + 4  # a few come back by chance


def test_every_cell_has_a_key_of_its_own_and_plain_runs_are_shared() -> None:
    from bench.study.plan import all_cells

    keys = [json.dumps(c.key, sort_keys=True) for c in all_cells(5)]
    assert len(set(keys)) == len(keys)
    main = [c for c in all_cells(5) if c.table == "main"]
    assert len(main) == 3 * (2 + 2 * 3) * 5


def test_gains_are_paired_by_seed() -> None:
    from bench.study.summary import gain, over_seeds

    plain = [{"seed": s, "linear": {"10": 0.7 + 0.1 * s}} for s in range(3)]
    gaze = [{"seed": s, "linear": {"10": 0.75 + 0.1 * s}} for s in (2, 0, 1)]
    figure = gain(gaze, plain, "10")
    assert figure.mean == pytest.approx(0.05)
    assert figure.high - figure.low < 1e-9
    assert over_seeds([0.5]).text() == "0.500"
    assert over_seeds([]).text() == "–"
    low, high = over_seeds([0.1, 0.2, 0.3]).low, over_seeds([0.1, 0.2, 0.3]).high
    assert (low, high) == pytest.approx((0.2 - 0.2484, 0.2 + 0.2484), abs=1e-3)
