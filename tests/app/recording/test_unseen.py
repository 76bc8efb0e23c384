"""Eyes that are gone are told; a computer that is late is not taken for a reader who is gone."""

import numpy as np

from app.recording.unseen import UnseenTime
from devices.gaze.samples import SampleArray, empty_samples

POLL_US = 600_000
"""40 ms of real time at fifteen times life, as in the demo."""


def samples(first_us: int, last_us: int, gaze_until_us: int) -> SampleArray:
    """Samples every 10 ms, from the first to the last; later than `gaze_until_us` without gaze."""
    made = empty_samples(1 + (last_us - first_us) // 10_000)
    made["host_us"] = np.arange(first_us, last_us + 1, 10_000)
    for name in ("left_x_norm", "left_y_norm", "right_x_norm", "right_y_norm"):
        made[name] = np.where(made["host_us"] <= gaze_until_us, 0.5, np.nan)
    return made


def test_a_poll_that_comes_late_finds_nobody_gone() -> None:
    unseen = UnseenTime(0, POLL_US)
    unseen.polled(POLL_US, samples(0, POLL_US, POLL_US))
    late_us = POLL_US + 21_000_000
    assert unseen.since_poll_us(late_us) == 21_000_000
    assert unseen.us == 0  # nobody has looked yet
    unseen.polled(late_us, empty_samples(0))  # the driver is as late as the recorder
    assert unseen.us == 5 * POLL_US
    unseen.polled(late_us + POLL_US, samples(POLL_US, late_us, late_us))
    assert unseen.us == 0


def test_a_computer_that_is_always_late_still_notices_a_silent_tracker() -> None:
    unseen = UnseenTime(0, POLL_US)
    for k in range(1, 11):
        unseen.polled(k * 21_000_000, empty_samples(0))
    assert unseen.us == 10 * 5 * POLL_US > 20_000_000


def test_a_silent_tracker_is_counted_by_the_polls_that_were_on_time() -> None:
    unseen = UnseenTime(0, POLL_US)
    unseen.polled(POLL_US, samples(0, POLL_US, POLL_US))
    for k in range(2, 42):
        unseen.polled(k * POLL_US, empty_samples(0))
    assert unseen.us == 40 * POLL_US


def test_samples_without_gaze_prove_their_time_however_late_they_come() -> None:
    unseen = UnseenTime(0, POLL_US)
    unseen.polled(30_000_000, samples(0, 30_000_000, 8_000_000))
    assert unseen.us == 22_000_000
    unseen.polled(60_000_000, samples(30_010_000, 60_000_000, 0))
    assert unseen.us == 52_000_000
    unseen.polled(60_600_000, samples(60_010_000, 60_600_000, 60_500_000))
    assert unseen.us == 100_000


def test_silence_that_ends_without_gaze_is_counted_once() -> None:
    unseen = UnseenTime(0, POLL_US)
    unseen.polled(POLL_US, samples(0, POLL_US, POLL_US))
    for k in range(2, 12):
        unseen.polled(k * POLL_US, empty_samples(0))
    unseen.polled(12 * POLL_US, samples(POLL_US + 10_000, 12 * POLL_US, 0))
    assert unseen.us == 11 * POLL_US


def test_a_gap_between_samples_that_nobody_watched_is_nobodys_absence() -> None:
    unseen = UnseenTime(0, POLL_US)
    unseen.polled(POLL_US, samples(0, POLL_US, POLL_US))
    back_us = POLL_US + 40_000_000  # the driver threw away what did not fit meanwhile
    unseen.polled(back_us, samples(back_us - 100_000, back_us, 0))
    assert unseen.us == 5 * POLL_US + 100_000
