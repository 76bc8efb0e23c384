"""Of a stack, the frames that were looked at have pictures when a reading has ended."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from app.images import frames
from app.images.attributes import DisplayAttributes
from app.images.clearing import black_out
from app.images.files import write_image
from app.images.frames import frames_looked_at, write_frames, write_looked_at
from app.images.greyscale import display_lut
from app.recording.replay import load_replay
from app.recording.session import ReadingSession
from app.workspace.colourings import Colouring
from app.workspace.pictures import Pictures
from devices.clock import HostClock
from migrations.study.folder import Study
from migrations.study.names import item_of_frame
from migrations.study.schema import Fixation, Image
from tests.app.recording.reading_doubles import (
    GEOMETRY,
    ScriptedTracker,
    make_study,
    record_for,
    steps,
    view_of,
)

FRAMES, SIZE = 40, (800, 1000)


@pytest.fixture
def study(tmp_path: Path):
    """A study of one case, a stack whose frames differ."""
    study = make_study(tmp_path / "study", cases=1)
    with study.database.write() as rows:
        image = rows.scalars(select(Image)).one()
        image.frames = FRAMES
        folder = study.image_folder(image.id)
    folder.mkdir(parents=True)
    stored = np.zeros((FRAMES, *SIZE), np.uint8) + np.arange(FRAMES, dtype=np.uint8)[:, None, None]
    stored[:, :, 500:] += 100
    attributes = DisplayAttributes(*SIZE, "MONOCHROME2", 8, 8, False, 0, 255, frames=FRAMES)
    write_image(folder, stored, attributes)
    yield study
    study.close()


def image_of(study: Study) -> str:
    with study.database.read() as rows:
        return rows.scalars(select(Image.id)).one()


def shown(study: Study) -> list[int]:
    folder = study.image_folder(image_of(study)) / "frames"
    return sorted(int(file.stem) for file in folder.glob("*.png"))


def read_at(study: Study, frame: int) -> str:
    session = ReadingSession.open(
        study, "R1", ScriptedTracker(rate_hz=300.0), HostClock(8.0), GEOMETRY, consented=True
    )
    reading_id = session.begin(session.next_case() or "")
    view = view_of(session.clock.now_us(), image_of(study))
    session.show(replace(view, frame=frame))
    record_for(session.recorder, 1.0)
    session.answer("a")
    session.finish()
    session.close()
    return reading_id


def test_a_frame_that_was_looked_at_has_its_picture_when_the_session_has_closed(
    study: Study,
) -> None:
    reading_id = read_at(study, 30)
    assert frames_looked_at(study, reading_id) == {image_of(study): [28, 29, 30, 31, 32]}
    assert shown(study) == [28, 29, 30, 31, 32]
    path = study.presentation_of_frame(image_of(study), 30)
    assert path.name == "00030.png"
    attributes = DisplayAttributes.read(path.parents[1] / "display.json")
    stored = np.load(path.parents[1] / "stored.npy")[30]
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture, display_lut(attributes).apply(stored))
    middle = cv2.imread(str(study.presentation(image_of(study))), cv2.IMREAD_UNCHANGED)
    assert (picture > middle).all()


def test_gaze_played_again_is_that_on_the_frame_shown(study: Study) -> None:
    tracker = ScriptedTracker(lambda t: steps(t, np.array([[0.4, 0.5], [0.6, 0.5]]), 1.0), 300.0)
    session = ReadingSession.open(study, "R1", tracker, HostClock(8.0), GEOMETRY, consented=True)
    reading_id = session.begin(session.next_case() or "")
    for frame in (30, 12):
        view = view_of(session.clock.now_us(), image_of(study))
        session.show(replace(view, frame=frame))
        record_for(session.recorder, 1.0)
    session.finish()
    session.close()
    replay, image_id = load_replay(study, reading_id), image_of(study)
    until_us = replay.duration_us
    first, second = (replay.points_on(image_id, until_us, frame) for frame in (30, 12))
    assert min(len(first), len(second)) > 100
    assert len(first) + len(second) == len(replay.points_on(image_id, until_us))
    assert len(replay.points_on(image_id, until_us, 0)) == 0


def test_the_workspace_shows_a_frame_by_its_own_picture_and_gaze(study: Study) -> None:
    read_at(study, 30)
    stack, pictures = image_of(study), Pictures(study)
    frame, beside = item_of_frame(stack, 30), item_of_frame(stack, 32)
    grey = pictures.make(frame, heat=False)
    own = cv2.imread(str(study.presentation_of_frame(stack, 30)), cv2.IMREAD_GRAYSCALE)
    assert abs(float(grey.mean()) - float(own.mean())) < 1
    assert (pictures.make(frame, heat=True) != grey).any()
    np.testing.assert_array_equal(
        pictures.make(beside, heat=True), pictures.make(beside, heat=False)
    )
    known = Colouring("label", "Label", {stack: "mass"}).of([frame, stack, "x"])
    assert known.words == {frame: "mass", stack: "mass"}


def test_what_a_session_could_not_write_is_written_by_the_next(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(frames, "write_looked_at", lambda *_: 0)
        read_at(study, 0)
    assert shown(study) == []
    ReadingSession.open(
        study, "R2", ScriptedTracker(), HostClock(8.0), GEOMETRY, consented=True
    ).close()
    assert shown(study) == [0, 1, 2]


def test_no_frame_is_written_twice_or_beyond_the_stack(study: Study) -> None:
    image_id = image_of(study)
    assert write_frames(study, image_id, [38, 39, 40, -1]) == 2
    assert write_frames(study, image_id, [38, 39]) == 0


def test_pictures_of_frames_are_black_where_the_image_was_blacked_out(study: Study) -> None:
    read_at(study, 30)
    assert write_looked_at(study) == 0
    black_out(study, image_of(study), [(500, 0, 500, 800)], "AB")
    assert shown(study) == [28, 29, 30, 31, 32]
    path = study.presentation_of_frame(image_of(study), 30)
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert (picture[:, 500:] == 0).all()


def test_a_damaged_stack_costs_its_pictures_and_nothing_else(
    study: Study, caplog: pytest.LogCaptureFixture
) -> None:
    image_id = image_of(study)
    read_at(study, 30)
    for file in (study.image_folder(image_id) / "frames").iterdir():
        file.unlink()
    (study.image_folder(image_id) / "stored.npy").write_bytes(b"")
    assert write_looked_at(study) == 0
    assert "missing or damaged" in caplog.text
    with study.database.read() as rows:
        assert rows.scalars(select(Fixation)).first() is not None
