"""What the verdict of a reading says, and what it does not hold against a part of one."""

import pytest

from app.recording.live_reading import GazeFigures, LiveReading
from app.recording.stream_counts import StreamCounts
from app.recording.verdict import judge
from devices.gaze.fixations import FilterParameters
from migrations.study.settings import StudySettings
from tests.app.recording.reading_doubles import GEOMETRY

GOOD = {"sample_count": 9000, "loss": 0.05, "off_image": 0.1, "duration_us": 30_000_000}


@pytest.mark.parametrize(
    ("changed", "accuracy_deg", "drift_deg", "word", "said"),
    [
        ({}, 0.5, None, "good", ()),
        ({}, 0.5, 0.4, "good", ()),
        ({"loss": 0.2}, 0.5, None, "doubtful", ("gaze lost 20% of the time",)),
        ({"off_image": 0.7}, 0.5, None, "bad", ("gaze off the image 70% of the time",)),
        ({}, 1.3, None, "doubtful", ("calibration off by 1.3°",)),
        ({}, None, None, "doubtful", ("accuracy was not validated",)),
        ({}, 0.5, 3.0, "bad", ("drifted by 3.0° before the case",)),
        ({"duration_us": 400_000}, 0.5, None, "bad", ("too short: 0.4 s",)),
        ({"sample_count": 0}, 0.5, None, "bad", ("no gaze was recorded",)),
    ],
)
def test_a_reading_is_judged_with_its_reasons(
    changed, accuracy_deg, drift_deg, word: str, said: tuple[str, ...]
) -> None:
    figures = GazeFigures(**{**GOOD, **changed})
    verdict = judge(figures, accuracy_deg, StudySettings(), drift_deg)
    assert (verdict.word, verdict.reasons) == (word, said)


def test_a_short_part_of_a_reading_is_no_reason_to_drop_the_whole() -> None:
    short = GazeFigures(**{**GOOD, "duration_us": 300_000, "loss": 1.0})
    verdict = judge(short, 0.5, StudySettings(), partial=True)
    assert (verdict.word, verdict.reasons) == ("doubtful", ("a part of 0.3 s, too short to judge",))
    long = GazeFigures(**{**GOOD, "loss": 0.9})
    assert judge(long, 0.5, StudySettings(), partial=True).word == "bad"


def test_a_reading_without_a_sample_lost_all_its_gaze_live_and_stored() -> None:
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    track.ended_us = 9_000_000
    assert track.figures().loss == GazeFigures().loss == StreamCounts().loss == 1
