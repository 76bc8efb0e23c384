"""A warning of the tracking is read in a narrow strip; what matters less gives way."""

import pytest

from app.pages.reading.strip import ReadingStrip
from app.ui.text import tr
from tests.app.station.made_up import made_up

__all__ = ["made_up"]
NARROW = 1366 // 2
"""Logical pixels of a 1366 × 768 screen at scale 2."""
WHOLE = "Tracker disconnected: check its cable. Recording resumes when it is back."


@pytest.fixture
def strip(qtbot, made_up) -> ReadingStrip:
    made = ReadingStrip()
    qtbot.addWidget(made)
    made.show_case("Case 001", 12, 137)
    made.show_views(0, 2, "W")
    made.show_recording(True)
    made.show_stand_in(tr("SIMULATED GAZE"))
    made.show_message(tr("Enter: next case"))
    made.show_answer(tr("Answer: {answer}", answer="R1"))
    made.set_text_size(13)
    return made


def at(strip: ReadingStrip, width: int, qtbot) -> str:
    strip.resize(width, strip.height())
    strip.show()
    qtbot.waitExposed(strip)
    strip.layout().activate()
    return strip._tracking.shown


def test_a_warning_is_whole_or_in_its_short_words_however_narrow_the_strip(strip, qtbot) -> None:
    strip.show_tracking(tr(WHOLE), warn=True, detail="why", shorter=tr("Tracker disconnected"))
    assert at(strip, 2400, qtbot) == f"⚠ {tr(WHOLE)}"
    assert at(strip, NARROW, qtbot) == f"⚠ {tr('Tracker disconnected')}"
    assert strip.minimumSizeHint().width() == 0  # no sentence widens the window
    for kept in (strip._badge, strip._recording):
        assert kept.sizeHint().width() <= kept.width()
    assert strip._tracking.text() == f"⚠ {tr(WHOLE)}"  # a screen reader reads all of it
    for told in (strip._tracking.toolTip(), strip._tracking.accessibleDescription()):
        assert told == f"{tr(WHOLE)}\nwhy"


def test_lost_gaze_is_told_in_a_narrow_strip(strip, qtbot) -> None:
    text = tr("No gaze for {seconds:.0f} s", seconds=12)
    strip.show_tracking(text, warn=True)
    assert at(strip, NARROW, qtbot) == f"⚠ {text}"


def test_good_tracking_gives_way_to_what_to_do(strip, qtbot) -> None:
    strip.show_tracking(tr("Tracking"), warn=False)
    assert at(strip, 2400, qtbot) == tr("Tracking")
    assert strip._message.shown == tr("Enter: next case")
    strip.show_tracking(tr("No gaze for {seconds:.0f} s", seconds=3), warn=True)
    strip.show_tracking(tr("Tracking"), warn=False)
    assert strip._tracking.minimumSizeHint().width() == 0
