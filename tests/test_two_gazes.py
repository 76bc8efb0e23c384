"""One stored reading is the same gaze to the station and to the trainer, also on another screen."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage
from sqlalchemy import select

from app.recording.session import ReadingSession
from devices.clock import HostClock
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import Affine, TileView
from migrations.study.folder import Study
from migrations.study.schema import Image
from tests.app.recording.reading_doubles import GEOMETRY, ScriptedTracker, make_study, until
from tests.stored import gaze_of
from trainer.data.cohort import load_cohort
from trainer.data.readings import ReadingGaze

SCALED = ScreenGeometry(1280, 720, 527.0, 296.0, distance_mm=650.0, distance_source="taped")
"""The same screen once the system's display scale went from 100 % to 150 %."""
RATE_HZ = 300.0
MIDDLE = (500.0, 400.0)


def in_the_middle(time_us: int, image_id: str, screen: ScreenGeometry) -> TileView:
    """Return a view of a 1000 x 800 image whose middle lies at the middle of a screen."""
    width, height = screen.width_screen, screen.height_screen
    scale = height / 800
    fitted = Affine(a=scale, d=scale, tx=(width - 1000 * scale) / 2)
    return TileView(time_us, "open", 0, image_id, 1000, 800, fitted, (0, 0, width, height))


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, list[str]]]:
    """Three readings whose reader looks at the middle of the image throughout.

    The first on the session's screen, the second after the scale has changed, in the third it
    changes back half way.
    """
    study = make_study(tmp_path_factory.mktemp("gazes") / "study", trial=True)
    with study.database.read() as rows:
        images = list(rows.scalars(select(Image.id)))
    for image_id in images:
        study.presentation(image_id).parent.mkdir(parents=True, exist_ok=True)
        PilImage.new("L", (1000, 800), 90).save(study.presentation(image_id))
    tracker = ScriptedTracker(rate_hz=RATE_HZ)
    session = ReadingSession.open(
        study, "R1", tracker, HostClock(8.0), GEOMETRY, station="desk", consented=True
    )
    ids = []
    for screens in ((GEOMETRY,), (SCALED,), (SCALED, GEOMETRY)):
        case = session.next_case()
        ids.append(session.begin(case))
        for screen in screens:
            view = in_the_middle(session.clock.now_us(), case.tiles[0].image_id, screen)
            session.show(view, screen)
            enough = tracker.given + 2.5 * RATE_HZ
            until(lambda enough=enough: tracker.given > enough)
        session.answer("a")
        session.finish()
    until(session.settled)
    session.close()
    yield study, ids
    study.close()


def trained(study: Study) -> dict[str, ReadingGaze]:
    """Return what the trainer reads, by reading."""
    return {r.reading_id: r for member in load_cohort(study).members for r in member.readings}


def test_the_station_maps_each_reading_with_the_screen_it_was_shown_on(read) -> None:
    study, ids = read
    for reading_id in ids:
        points = gaze_of(study.database, reading_id).points_image
        seen = points[~np.isnan(points[:, 0])]
        assert len(seen) > 2 * RATE_HZ
        np.testing.assert_allclose(seen, np.full(seen.shape, MIDDLE), atol=0.5)


def test_the_trainer_maps_a_reading_to_the_points_that_the_station_maps_it_to(read) -> None:
    study, ids = read
    found = trained(study)
    assert sorted(found) == sorted(ids)
    for reading_id in ids:
        own = gaze_of(study.database, reading_id).points_image
        points = found[reading_id].points_image
        np.testing.assert_allclose(points, own[~np.isnan(own[:, 0])], atol=0.01)


def test_a_degree_covers_as_many_image_pixels_on_a_scaled_screen(read) -> None:
    study, ids = read
    found = trained(study)
    degree = 650 * np.tan(np.radians(1.0)) * 1920 / 527 / 1.35
    assert [found[i].image_px_per_deg for i in ids] == pytest.approx([degree] * 3, rel=0.01)


def test_another_distance_counts_for_the_readings_after_it_alone(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", cases=2)
    tracker = ScriptedTracker(lambda t_s: np.full((len(t_s), 2), (0.6, 0.5)), rate_hz=RATE_HZ)
    session = ReadingSession.open(study, "R1", tracker, HostClock(8.0), GEOMETRY, consented=True)
    ids = []
    for distance_mm in (650.0, 500.0):
        session.setup.take_distance(distance_mm)
        case = session.next_case()
        ids.append(session.begin(case))
        view = in_the_middle(session.clock.now_us(), case.tiles[0].image_id, GEOMETRY)
        session.show(view, GEOMETRY)  # a page that never heard of another distance than 650 mm
        enough = tracker.given + 0.5 * RATE_HZ
        until(lambda enough=enough: tracker.given > enough)
        session.finish()
    until(session.settled)
    session.close()
    for reading_id, distance_mm in zip(ids, (650.0, 500.0), strict=True):
        gaze = gaze_of(study.database, reading_id)
        x_deg = np.degrees(np.arctan(0.1 * 527 / distance_mm))
        degree = distance_mm * np.tan(np.radians(1.0)) * 1920 / 527 / 1.35
        assert np.nanmedian(gaze.points_deg[:, 0]) == pytest.approx(x_deg, abs=1e-3)
        assert np.nanmedian(gaze.image_px_per_deg) == pytest.approx(degree)
    study.close()
