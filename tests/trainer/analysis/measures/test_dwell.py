"""Dwell, visits and first fixation against an oracle that walks through the samples."""

from typing import Any

import numpy as np
import pytest

from tests.trainer.analysis.made_looks import made_look
from trainer.analysis.areas import Area
from trainer.analysis.measures.dwell import dwell

BOX = Area("i", "a", "box", np.array([[100.0, 80.0], [420.0, 300.0]]))


def walked(look, box, step_us: int = 1000) -> dict[str, Any]:  # type: ignore[no-untyped-def]
    """Return the same measures by walking through time, a sample each millisecond."""
    (left, top), (right, bottom) = box.corners
    dwell_ms, visits, first, within = 0.0, 0, None, False
    for start, length, (x, y) in zip(
        look.start_us, look.duration_us, look.points_image, strict=True
    ):
        inside = left <= x <= right and top <= y <= bottom
        if inside and not within:
            visits += 1
        within = inside
        if inside:
            dwell_ms += sum(1 for _ in range(0, int(length), step_us))
            first = (start - look.shown_us) / 1000 if first is None else first
    return {"dwell_ms": dwell_ms, "visit_count": visits, "time_to_first_fixation_ms": first}


@pytest.mark.parametrize("seed", range(8))
def test_dwell_visits_and_first_fixation_are_what_walking_through_time_finds(seed: int) -> None:
    look = made_look(seed)

    found = dwell(look, BOX.contains(look.points_image, look.frame))

    expected = walked(look, BOX)
    assert found["visit_count"] == expected["visit_count"]
    assert found["time_to_first_fixation_ms"] == pytest.approx(
        expected["time_to_first_fixation_ms"]
    )
    # A sample for each fixation is what rounding to milliseconds can cost.
    assert found["dwell_ms"] == pytest.approx(expected["dwell_ms"], abs=found["fixation_count"])


def test_an_area_never_looked_at_has_no_first_fixation() -> None:
    found = dwell(made_look(1), np.zeros(40, bool))

    assert (found["hit"], found["dwell_ms"], found["visit_count"], found["return_count"]) == (
        0, 0.0, 0, 0,
    )  # fmt: skip
    assert np.isnan(found["time_to_first_fixation_ms"])


def test_visits_are_counted_and_weighed_one_by_one() -> None:
    look = made_look(2, fixations=6)
    inside = np.array([0, 1, 1, 0, 1, 0], bool)

    found = dwell(look, inside)

    ms = look.duration_us / 1000
    assert (found["visit_count"], found["return_count"]) == (2, 1)
    assert found["first_visit_dwell_ms"] == pytest.approx(ms[1] + ms[2])
    assert found["longest_visit_dwell_ms"] == pytest.approx(max(ms[1] + ms[2], ms[4]))
    assert found["fixations_before_first"] == 1
    assert found["first_fixation_ms"] == pytest.approx(ms[1])


def test_a_reading_without_fixations_has_no_share() -> None:
    found = dwell(made_look(3, fixations=0), np.zeros(0, bool))

    assert found["hit"] == 0
    assert np.isnan(found["dwell_share"])
