"""A replay is written as a video off the GUI thread; stopped or failed, nothing of it is left."""

import shutil
import threading
from pathlib import Path

import cv2
import pytest

from app.errors import AppError
from app.pages.review import replay_drawing, video
from app.pages.review.video import FRAMES_PER_S, VideoPlan, write_video
from app.recording.replay import Replay, load_replay
from migrations.study.folder import Study
from tests import PATIENCE_S
from tests.app.interchange.readings import add_readings

_OVER = (True, True, True)


@pytest.fixture(scope="module")
def replay(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    folder = tmp_path_factory.mktemp("video") / "study"
    shutil.copytree(filled, folder)
    study = Study.open(folder)
    reading, *_ = add_readings(study, ("R-01",))
    yield load_replay(study, reading)
    study.close()


@pytest.mark.usefixtures("qapp")
def test_a_span_becomes_a_video_of_its_length_with_the_words_of_the_image(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, told = [], []
    draw = replay_drawing.draw_bands
    monkeypatch.setattr(
        replay_drawing, "draw_bands", lambda *a, **k: (words.append(a[2].shown), draw(*a, **k))
    )
    plan = VideoPlan((replay,), (0, 1_000_000), 1.0, _OVER)
    made: list[Path | None] = []
    thread = threading.Thread(
        target=lambda: made.append(
            write_video(plan, tmp_path / "a", lambda *n: told.append(n), threading.Event())
        )
    )
    thread.start()
    thread.join(PATIENCE_S)
    assert made == [tmp_path / "a.webm"]
    film = cv2.VideoCapture(str(made[0]))
    assert film.get(cv2.CAP_PROP_FPS) == FRAMES_PER_S
    frames = []
    while (found := film.read())[0]:
        frames.append(found[1])
    film.release()
    assert len(frames) == FRAMES_PER_S + 1
    assert frames[0].max() > 100
    assert told[-1] == (FRAMES_PER_S + 1, FRAMES_PER_S + 1)
    assert words
    assert all("W " in said and "%" in said for said in words)
    assert [file.name for file in tmp_path.iterdir()] == ["a.webm"]


@pytest.mark.usefixtures("qapp")
def test_a_video_that_is_stopped_leaves_nothing_and_the_one_before_stays(
    replay: Replay, tmp_path: Path
) -> None:
    (tmp_path / "a.webm").write_bytes(b"before")
    stop = threading.Event()
    plan = VideoPlan((replay, replay), None, 16.0, _OVER)
    assert write_video(plan, tmp_path / "a.webm", lambda *_n: stop.set(), stop) is None
    assert [file.name for file in tmp_path.iterdir()] == ["a.webm"]
    assert (tmp_path / "a.webm").read_bytes() == b"before"


def test_a_codec_that_is_missing_is_said_by_name(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_CODEC", "ZZZZ")
    plan = VideoPlan((replay,), None, 1.0, _OVER)
    with pytest.raises(AppError, match="VP8 codec"):
        write_video(plan, tmp_path / "a.webm", lambda *_n: None, threading.Event())
    assert list(tmp_path.iterdir()) == []
