"""Saccades, pursuits and blinks beside fixations: what they are, when they come, cut or whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.gaze.fixations import (
    FilterParameters,
    GazeEvent,
    OnlineFixationFilter,
    detect_events,
    detect_fixations,
)
from tests.devices.gaze.gaze_signal import simulate

RATES = pytest.mark.parametrize("rate_hz", [60, 250, 1000])


def path(rate_hz, *knots):
    """Straight lines through (ms, x); y stays 0."""
    t_us = np.arange(0, knots[-1][0] * 1000, 1e6 / rate_hz).astype(np.int64)
    x = np.interp(t_us, [ms * 1000 for ms, _ in knots], [place for _, place in knots])
    return t_us, x, np.zeros(len(t_us))


def of_kind(events, kind) -> list[GazeEvent]:
    return [event for event in events if event.kind == kind]


@RATES
def test_between_two_rests_lies_a_saccade_of_their_distance(rate_hz) -> None:
    seen = path(rate_hz, (0, 0.0), (400, 0.0), (430, 6.0), (800, 6.0))
    fixations, events = detect_events(*seen)
    (saccade,) = events
    assert saccade.kind == "saccade"
    assert saccade.start_us == fixations[0].end_us
    assert saccade.start_us + saccade.duration_us == fixations[1].start_us
    assert saccade.amplitude_deg == pytest.approx(6.0, abs=0.3)
    assert saccade.peak_velocity_deg_s < 201
    if rate_hz > 60:
        assert saccade.peak_velocity_deg_s == pytest.approx(200, rel=0.15)


@RATES
def test_what_the_eye_follows_is_one_pursuit_and_no_fixation(rate_hz) -> None:
    seen = path(rate_hz, (0, 0.0), (300, 0.0), (330, 5.0), (1500, 17.0))
    fixations, events = detect_events(*seen)
    assert len(fixations) == 1
    (pursuit,) = of_kind(events, "pursuit")
    assert pursuit.amplitude_deg == pytest.approx(12.0, abs=0.8)
    assert pursuit.peak_velocity_deg_s < 40
    assert pursuit.duration_us == pytest.approx(1_170_000, abs=60_000)


def test_slow_drift_is_still_a_fixation() -> None:
    fixations, events = detect_events(*path(250, (0, 0.0), (1000, 0.8)))
    assert len(fixations) == 1
    assert events == []


def test_the_rest_before_a_pursuit_and_the_saccade_from_its_end_are_placed_right() -> None:
    seen = path(500, (0, 0.0), (600, 6.0), (630, 0.0), (1000, 0.0))
    (saccade,) = of_kind(detect_events(*seen)[1], "saccade")
    assert saccade.amplitude_deg == pytest.approx(6.0, abs=0.5)


@RATES
def test_gaze_lost_for_as_long_as_a_lid_takes_is_a_blink(rate_hz) -> None:
    t_us, x, y = path(rate_hz, (0, 0.0), (2000, 0.0))
    lost = (t_us >= 500_000) & (t_us < 650_000)
    x[lost] = np.nan
    (blink,) = detect_events(t_us, x, y)[1]
    assert blink.kind == "blink"
    assert blink.start_us == t_us[lost][0]
    assert blink.end_us == t_us[t_us >= 650_000][0]
    assert blink.amplitude_deg is None
    assert blink.peak_velocity_deg_s is None


@pytest.mark.parametrize("lost_ms", [30, 900])
def test_shorter_and_longer_losses_are_no_blinks(lost_ms) -> None:
    t_us, x, y = path(250, (0, 0.0), (2000, 0.0))
    x[(t_us > 500_000) & (t_us < 500_000 + lost_ms * 1000)] = np.nan
    assert of_kind(detect_events(t_us, x, y)[1], "blink") == []


def test_a_silent_tracker_saw_no_blink() -> None:
    t_us, x, y = path(250, (0, 0.0), (2000, 0.0))
    x[(t_us > 480_000) & (t_us < 500_000)] = np.nan
    came = (t_us < 500_000) | (t_us > 650_000)
    assert detect_events(t_us[came], x[came], y[came])[1] == []


def test_no_saccade_is_made_up_across_a_blink() -> None:
    t_us, x, y = path(250, (0, 0.0), (500, 0.0), (650, 8.0), (1200, 8.0))
    x[(t_us > 500_000) & (t_us < 650_000)] = np.nan
    assert [event.kind for event in detect_events(t_us, x, y)[1]] == ["blink"]


def test_the_dispersion_filter_finds_blinks_alone() -> None:
    r = simulate(250, 0.05, seconds=10, seed=1)
    seen = r.t_us, r.x_deg, r.y_deg
    kinds = {e.kind for e in detect_events(*seen, FilterParameters(algorithm="dispersion"))[1]}
    assert kinds == {"blink"}


def test_nothing_is_a_pursuit_where_it_is_turned_off() -> None:
    seen = path(250, (0, 0.0), (1500, 15.0))
    off = FilterParameters(pursuit_deg=0.0)
    assert len(detect_events(*seen, off)[0]) == 1
    assert detect_events(*seen, off)[1] == []


CASES = [simulate(r, n, seconds=6, seed=s, blink_every_s=1.5) for s, (r, n) in
         enumerate([(60, 0.2), (250, 0.02), (500, 0.3)])]  # fmt: skip


@given(case=st.sampled_from(range(3)), cuts=st.lists(st.floats(0, 1), max_size=20))
@settings(deadline=None, max_examples=40)
def test_events_are_the_same_however_samples_are_cut(case, cuts) -> None:
    r = CASES[case]
    whole = detect_events(r.t_us, r.x_deg, r.y_deg)
    online, fixations = OnlineFixationFilter(), []
    for start, stop in pairwise([0, *sorted({int(c * len(r.t_us)) for c in cuts}), len(r.t_us)]):
        part = slice(start, stop)
        fixations += online.push(r.t_us[part], r.x_deg[part], r.y_deg[part])
    fixations += online.flush()
    events = sorted(online.take_events(), key=lambda event: event.start_us)
    assert (fixations, events) == whole
    assert fixations == detect_fixations(r.t_us, r.x_deg, r.y_deg)


@pytest.mark.parametrize("case", range(3))
def test_an_event_comes_out_soon_after_its_end(case) -> None:
    r, online, kinds = CASES[case], OnlineFixationFilter(), set()
    for t_us, x, y in zip(r.t_us, r.x_deg, r.y_deg, strict=True):
        online.push([t_us], [x], [y])
        for event in online.take_events():
            assert t_us - event.end_us <= (80_000 if event.kind == "saccade" else 50_000)
            kinds.add(event.kind)
    assert {"saccade", "blink"} <= kinds
