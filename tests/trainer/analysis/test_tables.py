"""From gaze and areas to tables: every row there, every column defined."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trainer.analysis.made_looks import made_look
from trainer.analysis.areas import Area, grid
from trainer.analysis.looked import Looked
from trainer.analysis.registry import DEFINITIONS
from trainer.analysis.tables import Missed, Settings, Tables, margin_px, tables_of

AREAS = {"i": grid("i", 600, 400, 2, 2)}


def looks(readers: int = 3) -> list[Looked]:
    return [made_look(k, reader=f"R{k}") for k in range(readers)]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(looks(), AREAS)


def test_there_is_a_row_for_every_reading_area_and_two_readings(tables: Tables) -> None:
    assert (len(tables.readings), len(tables.areas), len(tables.pairs)) == (3, 12, 3)


def test_every_column_of_a_measure_is_defined_and_every_definition_is_a_column(
    tables: Tables,
) -> None:
    names = {"reading": set(tables.readings[0]), "area": set(tables.areas[0])}
    names["pair"] = set(tables.pairs[0])
    keys = {"reading", "reader", "image", "arm", "area", "lesion"}
    keys |= {"other_reading", "other_reader", "same_reader"}

    for of, columns in names.items():
        assert columns - keys == {d.name for d in DEFINITIONS if d.of == of}


def test_there_are_at_least_thirty_measures() -> None:
    assert len(DEFINITIONS) >= 30
    assert len({(d.name, d.of) for d in DEFINITIONS}) == len(DEFINITIONS)


def test_areas_that_cover_the_image_share_its_dwell(tables: Tables) -> None:
    for k, row in enumerate(tables.readings):
        own = [area["dwell_ms"] for area in tables.areas[4 * k : 4 * k + 4]]
        assert sum(own) == pytest.approx(row["total_dwell_ms"])


def test_transitions_add_up_to_their_count(tables: Tables) -> None:
    for row in tables.readings:
        moves = [m["count"] for m in tables.transitions if m["reading"] == row["reading"]]
        assert sum(moves) == row["transition_count"]


def test_the_margin_is_the_readers_accuracy_unless_it_is_set() -> None:
    look = replace(made_look(1), accuracy_deg=0.5)

    assert margin_px(look, Settings()) == pytest.approx(20)
    assert margin_px(look, Settings(margin_deg=1.0)) == pytest.approx(40)
    assert margin_px(made_look(1), Settings()) == 0.0


def test_a_margin_lets_an_area_catch_gaze_beside_it() -> None:
    look = replace(made_look(1, fixations=1), points_image=np.array([[110.0, 50.0]]))
    area = {"i": [Area("i", "a", "box", np.array([[0.0, 0.0], [100.0, 100.0]]))]}

    without = tables_of([look], area).areas[0]["hit"]
    within = tables_of([look], area, settings=Settings(margin_deg=0.3)).areas[0]["hit"]

    assert (without, within) == (0, 1)


def test_misses_are_classed_and_counted_over_thresholds() -> None:
    lesion = Area("i", "l", "keypoint", np.array([[300.0, 200.0]]), lesion=True)
    missed = [Missed(look, lesion, np.full((3, 2), 0.1)) for look in looks()]

    tables = tables_of(looks(), AREAS, missed)

    assert len(tables.misses) == 3
    assert all(
        sum(row[f"p_{kind}"] for kind in ("search", "recognition", "decision")) == pytest.approx(1)
        for row in tables.misses
    )
    in_force = next(
        row
        for row in tables.sensitivity
        if (row["radius_deg"], row["dwell_threshold_ms"]) == (2.5, 1000)
    )
    for kind in ("search", "recognition", "decision"):
        assert in_force[kind] == sum(row["class"] == kind for row in tables.misses)


def test_an_image_that_one_reader_saw_has_no_pairs() -> None:
    tables = tables_of(looks(1), {})

    assert tables.pairs == []
    assert tables.areas == []
    assert len(tables.readings) == 1


def test_a_reading_without_a_fixation_has_a_row_too() -> None:
    tables = tables_of([made_look(1, fixations=0), made_look(2, reader="R2")], AREAS)

    assert tables.readings[0]["fixation_count"] == 0
    assert np.isnan(tables.pairs[0]["scanmatch"])
