"""EyeLink's .asc: one eye or both, trials told by messages, what is no gaze refused."""

import numpy as np
import pytest
from sqlalchemy import select

from migrations.study.schema import Fixation
from tests.app.interchange.gaze_files import imported, lines
from tests.stored import gaze_of

HEAD = (
    "** CONVERTED FROM a.edf using edfapi 4.2",
    "MSG\t100 DISPLAY_COORDS 0 0 999 499",
)
BOTH = "START\t1000\tLEFT\tRIGHT\tSAMPLES\tEVENTS"
SHOWN = "MSG\t990 !V IMGLOAD CENTER images/P1.png 500 250 120 200"


def _both(first: int, x: float, count: int = 50) -> list[str]:
    return [
        f"{first + k}\t  {x}\t 190.0\t 900.0\t {x}\t 190.0\t 910.0\t....." for k in range(count)
    ]


def _gaze(study, report, number: int = 0):
    return gaze_of(study.database, report.readings[number].reading_id)


def test_both_eyes_lie_where_the_picture_was_drawn(study, tmp_path, matcher) -> None:
    rows = _both(1000, 470.0)
    rows[7] = "1007\t   .\t   .\t  0.0\t   .\t   .\t  0.0\t....."
    fixations = ["EFIX R   1000\t1040\t41\t  470.0\t  190.0\t    900", "END\t1050\tSAMPLES\tEVENTS"]
    path = lines(tmp_path / "a.asc", *HEAD, SHOWN, BOTH, *rows, *fixations)
    (report,) = imported(study, "eyelink-asc", [path], matcher)
    (stored,) = report.readings
    assert (stored.samples, stored.lost, stored.fixations) == (50, 1, 1)
    gaze = _gaze(study, report)
    np.testing.assert_allclose(gaze.points_image[0], (30, 40), atol=1e-3)
    assert set(np.diff(gaze.time_us)) == {1000}
    with study.database.read() as session:
        (fixation,) = session.scalars(select(Fixation)).all()
    assert (fixation.x_image, fixation.y_image, fixation.duration_us) == (30, 40, 40_000)
    assert (report.rows_read, "geometry" in report.lacks) == (50, False)


@pytest.mark.parametrize("eye", ["LEFT", "RIGHT"])
def test_one_eye_is_kept_as_that_eye(study, tmp_path, matcher, eye) -> None:
    rows = [f"{1000 + k}\t 470.0\t 190.0\t 900.0\t..." for k in range(20)]
    start = f"START\t1000\t{eye}\tSAMPLES\tEVENTS"
    path = lines(tmp_path / "a.asc", *HEAD, SHOWN, start, *rows, "END\t1020")
    (report,) = imported(study, "eyelink-asc", [path], matcher)
    samples = _gaze(study, report).samples
    other = {"LEFT": "right", "RIGHT": "left"}[eye]
    assert np.isnan(samples[f"{other}_x_norm"]).all()
    assert np.isfinite(samples[f"{eye.lower()}_x_norm"]).all()


def test_each_trial_is_a_reading_and_what_shows_no_image_is_counted(
    study, tmp_path, matcher
) -> None:
    second = [row.replace("P1.png", "b2.png") for row in (SHOWN,)]
    path = lines(
        tmp_path / "a.asc", *HEAD, "MSG\t900 TRIALID 1", SHOWN, BOTH, *_both(1000, 470.0),
        "END\t1050", "MSG\t1060 TRIAL_RESULT 0", "MSG\t1900 TRIALID 2", *second, BOTH,
        *_both(2000, 480.0), "END\t2050", "MSG\t2060 TRIAL_RESULT 0", "MSG\t2900 TRIALID 3", BOTH,
        *_both(3000, 480.0), "END\t3050",
    )  # fmt: skip
    (report,) = imported(study, "eyelink-asc", [path], matcher)
    assert [r.samples for r in report.readings] == [50, 50]
    assert len({r.image_id for r in report.readings}) == 2
    assert report.dropped == {"no image named": 50}


def test_the_word_before_the_images_name_can_be_said(study, tmp_path, matcher) -> None:
    shown = "MSG\t990 picture now P1.png"
    path = lines(tmp_path / "a.asc", *HEAD, shown, BOTH, *_both(1000, 470.0), "END\t1050")
    (asked,) = imported(study, "eyelink-asc", [path], matcher)
    assert "--markers" in asked.reason
    (report,) = imported(study, "eyelink-asc", [path], matcher, markers="picture now")
    assert [r.samples for r in report.readings] == [50]
    assert "geometry" in report.lacks


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((*HEAD, "SAMPLES\tHREF\tLEFT\tRATE\t1000.00"), "not gaze"),
        ((*HEAD, SHOWN, BOTH, "1000\tx\t1\t1\t1\t1\t1"), "cannot be read"),
        (("a,b", "1,2"), "is not an EyeLink .asc file"),
        ((HEAD[0], "MSG\t1 image: P1.png", BOTH, *_both(1, 1.0)), "--screen"),
    ],
    ids=["raw data", "a broken line", "another file", "no size of the display"],
)
def test_what_is_no_gaze_is_refused(study, tmp_path, matcher, rows, said) -> None:
    (report,) = imported(study, "eyelink-asc", [lines(tmp_path / "a.asc", *rows)], matcher)
    assert (report.status, said in report.reason) == ("refused", True)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("900\t  470.0\t 190.0\t 900.0\t 470.0\t 190.0\t 910.0\t.....", "times that run backwards"),
        ("EFIX R   1O00\t1040\t41\t  470.0\t  190.0\t    900", "the fixation 'EFIX R"),
        ("EFIX R   1_000\t1040\t41\t  470.0\t  190.0\t    900", "the fixation 'EFIX R"),
        ("1049\t 4_70\t 190.0\t 900.0\t 470.0\t 190.0\t 910.0\t.....", "the sample '1049"),
        ("MSG\t1001 DISPLAY_COORDS 0 0 nan 499", "a screen of nan"),
        ("MSG\t1001 DISPLAY_COORDS 0 0 9_99 499", "the message 'DISPLAY_COORDS"),
    ],
)  # fmt: skip
def test_what_no_tracker_writes_is_refused_by_name(study, tmp_path, matcher, broken, said) -> None:
    path = lines(tmp_path / "a.asc", *HEAD, SHOWN, BOTH, *_both(1000, 470.0), broken, "END\t1050")
    (report,) = imported(study, "eyelink-asc", [path], matcher)
    assert report.status == "refused"
    assert said in report.reason
