"""What the verdict of a reading says, and what it does not hold against a part of one."""

import numpy as np
import pytest

from app.recording.figures import GazeFigures
from app.recording.live_reading import LiveReading
from app.recording.verdict import judge
from devices.gaze.fixations import FilterParameters
from devices.gaze.rating import gaze_loss
from devices.gaze.samples import empty_samples
from migrations.study.settings import StudySettings
from tests.app.recording.reading_doubles import GEOMETRY

GOOD = {"sample_count": 9000, "loss": 0.05, "off_image": 0.1, "duration_us": 30_000_000}


@pytest.mark.parametrize(
    ("changed", "accuracy_deg", "drift_deg", "word", "said"),
    [
        ({}, 0.5, None, "good", ()),
        ({}, 0.5, 0.4, "good", ()),
        ({"loss": 0.2}, 0.5, None, "doubtful", ("gaze lost 20% of the time",)),
        (
            {"loss": 0.6, "silent_s": 6.0},
            0.5,
            None,
            "bad",
            ("gaze lost 60% of the time, tracker silent for 6.0 s",),
        ),
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
    assert (verdict.word, verdict.reasons) == ("doubtful", ("a part of 0.3 s, too short to rate",))
    long = GazeFigures(**{**GOOD, "loss": 0.9})
    assert judge(long, 0.5, StudySettings(), partial=True).word == "bad"


def test_a_reading_without_a_sample_lost_all_its_gaze_live_and_stored() -> None:
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    track.ended_us = 9_000_000
    assert track.figures().loss == GazeFigures().loss == gaze_loss(0, 0, 0, None).loss == 1


@pytest.mark.parametrize(
    ("valid", "came", "open_s", "loss", "missing"),
    [
        pytest.param(2500, 2500, 10, 0.0, 0, id="all came"),
        pytest.param(2400, 2500, 10, 0.04, 0, id="a blink"),
        pytest.param(1000, 1000, 10, 0.6, 1500, id="silence"),
        pytest.param(900, 1000, 10, 0.64, 1500, id="silence and blinks"),
        pytest.param(0, 0, 10, 1.0, 2500, id="nothing came"),
        pytest.param(2600, 2600, 10, 0.0, 0, id="more than due"),
    ],
)
def test_lost_is_what_did_not_come_or_had_no_gaze(
    valid: int, came: int, open_s: float, loss: float, missing: int
) -> None:
    lost = gaze_loss(valid, came, open_s * 1e6, 250.0)
    assert lost.loss == pytest.approx(loss)
    assert (lost.missing_count, lost.invalid_count) == (missing, came - valid)


def reading_of(seconds: slice, screen_x: float = 0.5) -> LiveReading:
    """A reading of 10 s at 100 Hz that had samples only in so many seconds of it."""
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    samples = empty_samples(1000)
    samples["host_us"] = np.arange(1000) * 10_000
    for name in ("left_x_norm", "left_y_norm", "right_x_norm", "right_y_norm"):
        samples[name] = screen_x if "_x_" in name else 0.5
    track.push(samples[100 * seconds.start : 100 * seconds.stop])
    track.ended_us = 10_000_000
    return track


@pytest.mark.parametrize("seconds", [slice(4, 10), slice(0, 6)], ids=["head", "tail"])
def test_silence_before_the_first_and_after_the_last_sample_counts(seconds: slice) -> None:
    figures = reading_of(seconds).figures()
    assert (figures.loss, figures.silent_s, figures.lost_count) == (0.4, 4.0, 0)


def test_in_a_pause_no_gaze_is_due() -> None:
    track = reading_of(slice(0, 6))
    track.pauses.begin(6_000_000)
    assert track.figures().loss == 0
    track.pauses.end(8_000_000)
    assert track.figures().loss == pytest.approx(200 / 800)


def test_gaze_off_the_screen_is_gaze_and_counted_apart() -> None:
    figures = reading_of(slice(0, 10), screen_x=1.4).figures()
    assert (figures.loss, figures.off_screen, figures.off_image) == (0.0, 1000, 1.0)
