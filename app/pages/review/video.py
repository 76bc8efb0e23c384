"""A replay as a WebM video (VP8) by OpenCV: drawn and written in a thread, can be stopped."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPainter

from app.errors import AppError
from app.pages.review.replay_drawing import ReplayDrawing
from app.recording.replay import Replay
from app.ui.text import tr

FRAMES_PER_S = 15
_CODEC = "VP80"
_WIDTH, _HEIGHT = 960, 600


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """What a video shows.

    Attributes
    ----------
    replays
        Side by side, one or two.
    span
        Microseconds since the start, for path, heat map and time; None for the whole reading.
    speed
        1.0 is real time.
    over
        Whether path, heat map and gaze are drawn.
    """

    replays: tuple[Replay, ...]
    span: tuple[int, int] | None
    speed: float
    over: tuple[bool, bool, bool]


def write_video(
    plan: VideoPlan, path: Path, told: Callable[[int, int], object], stop: threading.Event
) -> Path | None:
    """Write a video; safe from any thread. Return its path; None if it was stopped.

    The unfinished file is named ``.part.webm`` until it is complete, and removed if it never is.

    Parameters
    ----------
    told
        Called with the number of frames written, and their total.

    Raises
    ------
    AppError
        If this OpenCV lacks the codec, or the file cannot be written.
    """
    path = path if path.suffix.lower() == ".webm" else path.with_name(f"{path.name}.webm")
    part = path.with_name(f"{path.stem}.part.webm")
    if not path.parent.is_dir():
        raise AppError(tr("The folder {folder} does not exist.", folder=path.parent))
    size = (_WIDTH * len(plan.replays), _HEIGHT)
    writer = cv2.VideoWriter(str(part), cv2.VideoWriter.fourcc(*_CODEC), FRAMES_PER_S, size)
    try:
        if not writer.isOpened():
            raise AppError(
                tr(
                    "{path} cannot be written: you may not write there, or OpenCV {version} "
                    "on this computer has no VP8 codec. Save pictures instead.",
                    path=path,
                    version=cv2.__version__,
                )
            )
        done = _write_frames(plan, writer, told, stop)
        writer.release()
        if not done:
            return None
        try:
            return part.replace(path)
        except OSError as error:
            why = error.strerror or error
            raise AppError(tr("{path} cannot be written: {why}.", path=path, why=why)) from error
    finally:
        writer.release()
        part.unlink(missing_ok=True)


def _write_frames(
    plan: VideoPlan,
    writer: cv2.VideoWriter,
    told: Callable[[int, int], object],
    stop: threading.Event,
) -> bool:
    begin_us, end_us = plan.span or (0, max(r.duration_us for r in plan.replays))
    step_us = 1e6 * plan.speed / FRAMES_PER_S
    total = int((end_us - begin_us) / step_us + 1e-6) + 1
    drawings = [_drawing(plan, replay) for replay in plan.replays]
    for number in range(total):
        if stop.is_set():
            return False
        time_us = min(round(begin_us + number * step_us), end_us)
        writer.write(_frame(drawings, time_us))
        told(number + 1, total)
    return True


def _drawing(plan: VideoPlan, replay: Replay) -> ReplayDrawing:
    made = ReplayDrawing()
    made.width, made.height = _WIDTH, _HEIGHT
    made.show_path, made.show_heat, made.show_gaze = plan.over
    made.set_replay(replay)
    made.set_span(plan.span)
    return made


def _frame(drawings: Sequence[ReplayDrawing], time_us: int) -> NDArray[np.uint8]:
    """Return one frame, (height, width, 3), blue first."""
    sides = []
    for drawing in drawings:
        drawing.set_time(time_us)
        image = QImage(_WIDTH, _HEIGHT, QImage.Format.Format_BGR888)
        with QPainter(
            image
        ) as painter:  # closed even if drawing fails, and before the image is freed
            drawing.draw(painter)
        lines = np.frombuffer(image.constBits(), np.uint8).reshape(_HEIGHT, image.bytesPerLine())
        sides.append(lines[:, : 3 * _WIDTH].reshape(_HEIGHT, _WIDTH, 3).copy())
    return np.ascontiguousarray(np.concatenate(sides, axis=1))
