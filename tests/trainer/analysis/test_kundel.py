"""Why a lesion was missed: classes of made gaze, and how sure they are."""

from dataclasses import replace

import numpy as np
import pytest

from tests.trainer.analysis.made_looks import SCALE, made_look
from trainer.analysis.areas import Area
from trainer.analysis.kundel import CLASSES, Thresholds, classify
from trainer.analysis.looked import Looked

LESION = Area("i", "l", "keypoint", np.array([[300.0, 200.0]]), lesion=True)


def gaze(*dwells_ms_at_deg: tuple[float, float]) -> Looked:
    """Return fixations of a duration at a distance from the lesion, to its right."""
    count = len(dwells_ms_at_deg)
    look = made_look(1, fixations=count)
    points = [[300 + deg * SCALE, 200] for _, deg in dwells_ms_at_deg]
    durations = [int(ms * 1000) for ms, _ in dwells_ms_at_deg]
    return replace(look, points_image=np.array(points), duration_us=np.array(durations))


@pytest.mark.parametrize(
    ("look", "kind"),
    [
        (gaze((900, 4.0), (800, 2.6)), "search"),
        (gaze((900, 4.0), (300, 2.4)), "recognition"),
        (gaze((600, 1.0), (450, 2.0)), "decision"),
    ],
)
def test_the_class_is_by_dwell_within_the_radius(look: Looked, kind: str) -> None:
    found = classify(look, LESION, Thresholds())

    assert found.kind == kind
    assert found.probability[found.kind] == 1.0


def test_thresholds_are_those_that_are_stated() -> None:
    look = gaze((500, 1.0))

    assert classify(look, LESION, Thresholds(radius_deg=0.5)).kind == "search"
    assert classify(look, LESION, Thresholds(dwell_ms=500)).kind == "decision"


def test_a_lesion_with_an_extent_is_looked_at_from_its_border() -> None:
    box = Area("i", "l", "box", np.array([[200.0, 150.0], [400.0, 250.0]]), lesion=True)

    assert classify(gaze((300, 4.9)), box, Thresholds()).kind == "recognition"
    assert classify(gaze((300, 5.1)), box, Thresholds()).kind == "search"


def test_gaze_on_another_frame_is_no_look() -> None:
    lesion = replace(LESION, frame=7)

    assert classify(gaze((2000, 0.0)), lesion, Thresholds()).kind == "search"


def test_the_trackers_error_makes_a_narrow_class_unsure() -> None:
    residuals = np.random.default_rng(2).normal(0, 0.5, (13, 2))
    near, far = gaze((1500, 2.4)), gaze((1500, 0.2))

    unsure = classify(near, LESION, Thresholds(), residuals).probability
    sure = classify(far, LESION, Thresholds(), residuals).probability

    assert 0.2 < unsure["search"] < 0.8
    assert sure["decision"] > 0.99
    assert sum(unsure.values()) == pytest.approx(1)
    assert tuple(unsure) == CLASSES


def test_a_known_offset_is_taken_off() -> None:
    # Every validation point was read 3° too far right: the true gaze lay on the lesion.
    residuals = np.tile([3.0, 0.0], (5, 1))

    found = classify(gaze((1500, 3.0)), LESION, Thresholds(), residuals)

    assert found.kind == "search"
    assert found.probability["decision"] == 1.0
