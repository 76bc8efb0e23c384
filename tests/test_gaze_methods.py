"""The second controlled study's own parts: what its claims rest on."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bench.gaze_methods.bars import bars, passes
from bench.gaze_methods.phantoms import CLASSES, SIDE, make_phantoms
from bench.gaze_methods.plan import Cell, all_cells
from bench.gaze_methods.readers import READERS, Reading, kept, permuted, read_all


def test_phantoms_are_repeatable_and_their_patients_whole() -> None:
    some, again = make_phantoms(18, 3), make_phantoms(18, 3)
    assert all((a.grey == b.grey).all() for a, b in zip(some, again, strict=True))
    assert some[0].grey.shape == (SIDE, SIDE)
    assert {p.label for p in some} == set(CLASSES)
    assert all(len({p.label for p in some if p.patient == k}) == 1 for k in range(6))
    assert all((p.lesion is None) == (p.label == "normal") for p in some)
    assert all(1 <= len(p.harmless) <= 3 for p in some)


def test_where_a_lesion_lies_says_nothing_of_its_class() -> None:
    lesions = [(p.label, p.lesion) for p in make_phantoms(240, 1) if p.lesion is not None]
    middle = {
        label: np.mean([lesion[:2] for own, lesion in lesions if own == label], axis=0)
        for label in ("mass", "spiculated")
    }
    assert np.abs(middle["mass"] - middle["spiculated"]).max() < 3
    reach = np.array([lesion[2] for own, lesion in lesions if own == "mass"])
    assert reach.max() > 2 * reach.min()


def test_each_image_is_read_by_two_readers_whose_fixations_lie_on_it() -> None:
    readings = read_all(make_phantoms(12, 0), 0)
    assert set(Counter(r.image for r in readings).values()) == {2}
    assert {r.reader for r in readings} == set(range(READERS))
    for reading in readings:
        places = reading.gaze.fixations_image
        assert places is not None
        assert len(places) > 8
        assert ((places > -6) & (places < SIDE + 6)).all()  # the tracker's error reaches beyond


@pytest.mark.parametrize(("g", "moved"), [(1.0, 0), (0.5, 20), (0.0, 40)])
def test_the_degree_is_the_share_that_stays(g: float, moved: int) -> None:
    own = [Reading(k, k % READERS, k) for k in range(40)]  # type: ignore[arg-type]
    mixed = permuted(own, g, 0)
    assert sorted(r.gaze for r in mixed) == list(range(40))  # type: ignore[type-var]
    assert all(r.gaze % READERS == r.reader for r in mixed)  # type: ignore[operator]
    assert moved - 6 <= sum(r.gaze != r.image for r in mixed) <= moved


def test_fewer_images_that_are_read_are_some_of_the_more() -> None:
    tenth, most = kept(384, 0.1, 0), kept(384, 0.8, 0)
    assert (tenth.sum(), most.sum()) == (38, 307)
    assert most[tenth].all()


def test_the_plan_has_75_cells_each_with_a_key_of_its_own() -> None:
    keys = {json.dumps(c.key, sort_keys=True) for c in all_cells()}
    assert len(keys) == len(list(all_cells())) == 75


def test_bars_are_judged_by_paired_differences() -> None:
    def lines(cell: Cell, gain: float) -> list[dict[str, object]]:
        return [
            {"cell": cell.name, "seed": s, "linear": {"10": 0.6 + 0.1 * s + gain + 0.001 * s}}
            for s in range(3)
        ]

    plain, own = Cell(), Cell("soft", g=1.0)
    gains = {
        plain: 0.0,
        replace(own, method="gzpt"): 0.1,
        own: 0.12,
        replace(own, g=0.0): -0.01,
        Cell("predicted", g=1.0, read=0.1): 0.04,
    }
    table = {c.name: lines(c, gain) for c, gain in gains.items()}
    assert passes({}, "soft") is None
    assert passes(table, "soft") is True
    table[replace(own, g=0.0).name] = lines(replace(own, g=0.0), -0.03)
    assert passes(table, "soft") is False
    found = {bar.name: bar for bar in bars(table)}
    assert found["predicted, 10 % read"].figure.mean == pytest.approx(-0.01)
    assert found["predicted, 10 % read"].met is False
    assert found["trajectory, g = 1"].met is None
