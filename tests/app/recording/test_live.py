"""Gaze on the image: live rows against a computation from the raw chunks, and against the truth."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from app.errors import ImageUnreadable
from app.recording.live_reading import LiveReading
from app.recording.session import ReadingSession
from app.recording.stimulus import Findings, salient_targets, stimulus_for
from app.recording.stored_figures import event_rows
from devices.clock import HostClock
from devices.gaze.fixations import FilterParameters, detect_fixations
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import CLOSED, Affine
from devices.simulated import SimulatedParameters, SimulatedTracker, Target
from migrations.study.errors import UnknownName
from migrations.study.folder import Study
from migrations.study.schema import Fixation, GazeEvent, Reading
from tests.app.recording.reading_doubles import GEOMETRY, make_study, record_for, view_of
from tests.stored import gaze_of

SPEED = 10.0
FIT = Affine(a=1.35, d=1.35, tx=285.0, ty=0.0)
ZOOMED = Affine(a=2.7, d=2.7, tx=-390.0, ty=-540.0)
FLIPPED = Affine(a=-2.7, d=2.7, tx=2310.0, ty=-540.0)
EXACT = SimulatedParameters(
    rate_hz=500.0,
    bias_deg=(0.0, 0.0),
    drift_deg_per_min=0.0,
    noise_deg=0.1,
    gain_error=0.0,
    offset_error_deg=0.0,
    one_eye_loss=0.0,
)


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = make_study(tmp_path / "study", cases=1)
    yield study
    study.close()


def read_once(
    study: Study, tracker: SimulatedTracker, views: list[tuple[str, Affine]], each_s: float
) -> str:
    """Read the one case through some views, each for a while of real time."""
    clock = HostClock(SPEED)
    session = ReadingSession.open(study, "R1", tracker, clock, GEOMETRY, consented=True)
    case = session.next_case()
    assert case is not None
    reading_id = session.begin(case)
    targets = (Target(300, 300, 40), Target(600, 500, 40))
    for kind, transform in views:
        view = view_of(clock.now_us(), case.tiles[0].image_id, kind, transform)
        session.show(view)
        if kind == "open":
            tracker.attend(stimulus_for(view, GEOMETRY, Findings(targets)))
        else:
            tracker.move(stimulus_for(view, GEOMETRY, Findings(targets)).to_norm)
        record_for(session.recorder, each_s * SPEED)
    session.finish()
    assert session.settled()
    session.close()
    return reading_id


def fixation_rows(study: Study, reading_id: str) -> list[Fixation]:
    with study.database.read() as session:
        query = select(Fixation).filter_by(reading_id=reading_id).order_by(Fixation.start_us)
        found = list(session.scalars(query))
        session.expunge_all()
    return found


def test_live_fixations_are_those_that_raw_chunks_and_views_give_again(study: Study) -> None:
    tracker = SimulatedTracker(GEOMETRY, EXACT, seed=3)
    views = [("open", FIT), ("zoom", ZOOMED), ("flip", FLIPPED), ("window", FLIPPED)]
    reading_id = read_once(study, tracker, views, 0.25)
    gaze = gaze_of(study.database, reading_id)
    again = detect_fixations(
        gaze.time_us, gaze.points_deg[:, 0], gaze.points_deg[:, 1], FilterParameters()
    )
    rows = fixation_rows(study, reading_id)
    assert len(rows) >= 10
    assert [row.start_us for row in rows] == [fixation.start_us for fixation in again]
    for row, fixation, place in zip(rows, again, gaze.places_of(again), strict=True):
        assert row.duration_us == fixation.end_us - fixation.start_us
        assert (row.x_deg, row.y_deg) == pytest.approx((fixation.x_deg, fixation.y_deg))
        assert (row.image_id, row.x_image, row.y_image) == pytest.approx(
            (place.image_id, place.x_image, place.y_image)
        )
        assert row.spans_view_change == place.spans_view_change
        assert row.parameters_hash == FilterParameters().hash()
    assert len(gaze.views.views) == 4
    _, events = event_rows(reading_id, gaze, FilterParameters())
    with study.database.read() as session:
        written = list(session.scalars(select(GazeEvent).order_by(GazeEvent.start_us)))
    assert "saccade" in {row.kind for row in written}
    for row, event in zip(written, events, strict=True):
        assert {name: getattr(row, name) for name in event if name != "id"} == {
            name: value for name, value in event.items() if name != "id"
        }


def test_mapped_gaze_is_the_true_gaze_within_noise_through_zoom_and_flip(study: Study) -> None:
    tracker = SimulatedTracker(GEOMETRY, EXACT, seed=5)
    truth: dict[str, np.ndarray] = {}
    disconnect = tracker.disconnect

    def keep_truth() -> None:
        times = np.arange(0, 120_000_000, 2_000)  # more than a busy machine takes to get here
        truth["time_us"], truth["norm"] = times, tracker.true_gaze_norm(times)
        disconnect()

    tracker.disconnect = keep_truth  # type: ignore[method-assign]
    views = [("open", FIT), ("zoom", ZOOMED), ("flip", FLIPPED)]
    gaze = gaze_of(study.database, read_once(study, tracker, views, 0.3))
    x, y = (np.interp(gaze.time_us, truth["time_us"], truth["norm"][:, i]) for i in (0, 1))
    true_screen = np.column_stack((x, y)) * (1920, 1080)
    changes = np.array([view.time_us for view in gaze.views.views])
    for index, transform in enumerate((FIT, ZOOMED, FLIPPED)):
        own = gaze.view_index == index
        assert own.sum() > 500
        assert (gaze.time_us[own] >= changes[index]).all()
        expected = transform.inverse().map(true_screen[own])
        error = (gaze.points_image[own] - expected) * abs(transform.a)
        # 0.1° of noise per eye is 4.1 px on this screen, 2.9 for the mean of both eyes.
        assert np.abs(np.median(error, axis=0)).max() < 0.5
        assert np.median(np.abs(error)) < 2.9


def test_a_fixation_that_a_view_change_cuts_is_flagged_and_others_are_not() -> None:
    t_us = np.arange(0, 1_000_000, 4_000)
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    track.show(view_of(0, "i"), None)
    track.show(view_of(200_000, "i", "pan", Affine(a=1.35, d=1.35, tx=385.0)), None)
    rows = track.push(samples_at(t_us, np.where(t_us < 500_000, 0.4, 0.6))) + track.finish()
    assert [row["spans_view_change"] for row in rows] == [True, False]
    expected = (0.6 * 1920 - 385) / 1.35
    assert rows[1]["x_image"] == pytest.approx(expected, abs=0.01)
    share = 200 / 500  # of the first fixation lay before the pan
    mean = (0.4 * 1920 - 285 - 100 * (1 - share)) / 1.35
    assert rows[0]["x_image"] == pytest.approx(mean, abs=1.0)


def test_a_fixation_off_every_image_has_no_image_but_keeps_its_degrees() -> None:
    t_us = np.arange(0, 800_000, 4_000)
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    track.show(view_of(0, "i"), None)
    track.show(view_of(600_000, "i", CLOSED), None)
    x = np.where(t_us < 200_000, 0.05, 0.5)
    rows = track.push(samples_at(t_us, x)) + track.finish()
    assert [row["image_id"] for row in rows] == [None, "i"]
    assert rows[0]["x_image"] is None
    expected = GEOMETRY.norm_to_deg([[0.05, 0.5]])[0, 0]
    assert rows[0]["x_deg"] == pytest.approx(expected, abs=0.01)
    assert track.figures().off_image == pytest.approx(0.5, abs=0.01)


def test_gaze_on_two_images_goes_to_the_one_most_of_it_fell_on() -> None:
    t_us = np.arange(0, 400_000, 4_000)
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    for tile, image, left in ((0, "left", 0.0), (1, "right", 960.0)):
        view = view_of(0, image, transform=Affine(tx=left), tile=tile)
        object.__setattr__(view, "rect_screen", (left, 0.0, 960.0, 1080.0))
        track.show(view, None)
    x = np.where(t_us < 100_000, 0.4995, 0.5005)  # rests on the seam, mostly right of it
    (row,) = track.push(samples_at(t_us, x)) + track.finish()
    assert row["image_id"] == "right"
    assert row["x_image"] == pytest.approx(0.0005 * 1920, abs=0.01)


def test_another_screen_in_mid_reading_is_used_from_its_time_on() -> None:
    t_us = np.arange(0, 1_000_000, 4_000)
    small = ScreenGeometry(960, 540, 263.5, 148.0, distance_mm=650.0)
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    track.show(view_of(0, "i"), None)
    track.show(view_of(500_000, "i", "screen", Affine()), small)
    rows = track.push(samples_at(t_us, np.full(len(t_us), 0.6))) + track.finish()
    first, last = rows[0], rows[-1]
    assert first["x_image"] == pytest.approx((0.6 * 1920 - 285) / 1.35, abs=0.01)
    assert last["x_image"] == pytest.approx(0.6 * 960, abs=0.01)
    assert last["x_deg"] == pytest.approx(small.norm_to_deg([[0.6, 0.5]])[0, 0], abs=0.01)


def test_loss_is_told_apart_from_missing_samples() -> None:
    t_us = np.delete(np.arange(0, 1_000_000, 4_000), slice(100, 110))
    samples = samples_at(t_us, np.full(len(t_us), 0.5))
    for eye in ("left", "right"):
        samples[f"{eye}_x_norm"][:60] = np.nan
        samples[f"{eye}_y_norm"][:60] = np.nan
    track = LiveReading("r", 0, GEOMETRY, FilterParameters(), "both")
    for part in np.array_split(samples, 30):
        track.push(part)
    track.ended_us = 1_000_000
    figures = track.figures()
    assert (figures.sample_count, figures.lost_count) == (240, 10)
    assert (figures.missing_count, figures.invalid_count) == (10, 60)
    assert figures.loss == pytest.approx(70 / 250)
    assert figures.measured_rate_hz == pytest.approx(250.0)


def samples_at(t_us: np.ndarray, x_norm: np.ndarray) -> np.ndarray:
    from devices.gaze.samples import empty_samples

    samples = empty_samples(len(t_us))
    samples["host_us"] = t_us
    for eye in ("left", "right"):
        samples[f"{eye}_x_norm"], samples[f"{eye}_y_norm"] = x_norm, 0.5
    return samples


def test_an_unknown_reading_is_named(study: Study) -> None:
    with pytest.raises(UnknownName, match="no reading x"):
        gaze_of(study.database, "x")


def test_a_reading_takes_its_own_samples_only(study: Study) -> None:
    tracker = SimulatedTracker(GEOMETRY, EXACT, seed=1)
    gaze = gaze_of(study.database, read_once(study, tracker, [("open", FIT)], 0.2))
    with study.database.read() as session:
        (row,) = session.scalars(select(Reading))
        assert gaze.time_us[0] >= row.started_us
        assert gaze.time_us[-1] < row.ended_us
        assert len(gaze.time_us) == row.sample_count


def test_salient_places_are_the_blobs_of_an_image(tmp_path: Path) -> None:
    image = np.full((600, 900), 60, np.uint8)
    cv2.circle(image, (250, 200), 30, 200, -1)
    cv2.circle(image, (700, 450), 20, 130, -1)
    cv2.imwrite(str(tmp_path / "a.png"), cv2.GaussianBlur(image, (0, 0), 6))
    first, second, *_ = salient_targets(tmp_path / "a.png")
    assert (first.x, first.y) == pytest.approx((250, 200), abs=8)
    assert (second.x, second.y) == pytest.approx((700, 450), abs=8)
    assert first.weight > second.weight
    assert salient_targets(tmp_path / "a.png")[0] == first


def test_an_even_image_has_no_salient_place_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "even.png"), np.full((50, 40), 90, np.uint8))
    assert salient_targets(tmp_path / "even.png") == ()
    (tmp_path / "bad.png").write_bytes(b"no image")
    for name in ("bad.png", "none.png"):
        with pytest.raises(ImageUnreadable, match=name):
            salient_targets(tmp_path / name)


def test_a_stimulus_lies_where_the_view_puts_the_image() -> None:
    view = view_of(0, "i", transform=ZOOMED)
    stimulus = stimulus_for(
        view, GEOMETRY, Findings((Target(300, 300, 40), Target(5, 5, 40)), "radial")
    )
    assert [target.x for target in stimulus.targets] == [300]  # the corner is zoomed out of sight
    expected = ((300 * 2.7 - 390) / 1920, (300 * 2.7 - 540) / 1080)
    assert stimulus.to_norm.map([(300, 300)])[0] == pytest.approx(expected)
    x, y, width, height = stimulus.area
    assert (x, y) == pytest.approx((390 / 2.7, 540 / 2.7))
    assert (width, height) == pytest.approx((1920 / 2.7, 1080 / 2.7))
