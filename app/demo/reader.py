"""The simulated reader's hands: a script that operates the station only by mouse and keys.

It calibrates, reads every case (with windowing, zoom, pan and inversion on the way), answers, and
presses Pretrain. Its eyes are the job of the simulated tracker; the script never touches them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.demo.hands import click, drag, press, wheel
from app.demo.progress import Progress
from app.demo.steps import Script, Until
from app.errors import AppError
from app.pages.pretrain.controller import TrainingController
from app.station import Station

READING_S = (30.0, 45.0)
"""How long a case is read, on the session's clock."""
_SETTLE_S = 0.15


@dataclass(frozen=True, slots=True)
class Plan:
    """What the script should do.

    Attributes
    ----------
    answers
        The label of each image by its id; the reader is right nine times in ten.
    training
        Fields of the training form to fill in before Pretrain.
    shots
        Folder for one screenshot of each page, or None.
    seed
        Randomness of the reader's answers and habits.
    stop_once
        Press Stop during training and then Pretrain again: the run continues where it stopped.
    """

    answers: Mapping[str, str]
    training: Mapping[str, object]
    shots: Path | None
    seed: int = 0
    stop_once: bool = False


class SimulatedHands:
    """Scripts for `run_script`, one for each part of the work."""

    def __init__(self, station: Station, plan: Plan, progress: Progress) -> None:
        self.station, self.plan, self.progress = station, plan, progress
        self._rng = np.random.default_rng([plan.seed, 0xF0])
        self._shot: set[str] = set()
        self._lesion_shot = False

    def calibrate(self) -> Script:
        """Calibrate and validate from the worklist."""
        worklist, page = self.station.sitting.worklist, self.station.sitting.calibration.page
        yield Until("the trackers", lambda: worklist.devices.info is not None, 30)
        yield from self._pause(0.3)
        self._shoot("worklist")
        click(self._button(worklist.page, "calibrate"))
        yield Until("the start of the calibration", lambda: page.state != "idle", 30)
        yield from self._pause(0.25)
        self._shoot("calibration-target")
        yield Until("the end of the calibration", lambda: page.state in ("done", "idle"), 90)
        if page.state == "idle":
            raise AppError(f"The calibration failed: {page.state_text}")
        yield from self._pause(0.3)
        self._shoot("calibration")
        result = page.result
        if result is not None and result.accuracy_deg is not None:
            self.progress.say(
                f"calibrated: accuracy {result.accuracy_deg:.2f}°, loss {result.loss or 0:.1%}"
            )

    def read(self, status: Callable[[], str]) -> Script:
        """Read every case that is offered, from the button to the closing message."""
        page = self.station.sitting.reading.page
        click(self._button(self.station.sitting.calibration.page, "start_reading"))
        number = 0
        while True:
            yield Until("the next case", lambda: page.state in ("reading", "complete"), 60,
                        shown=self._reading_shown)  # fmt: skip
            if page.state == "complete":
                break
            number += 1
            yield from self._read_case(number)
            self.progress.update(f"case {number} read, {status()}")
        yield from self._pause(0.2)
        click(self._button(page, "back_to_worklist"))
        yield Until("the worklist", lambda: self.station.window.current == "worklist", 30)
        yield from self._pause(0.3)
        self._shoot("worklist-read")

    def pretrain(self, status: Callable[[], str]) -> Script:
        """Fill in the form, press Pretrain, and follow the run to its end."""
        page = self.station.job(TrainingController).page
        self.station.shell.enter_workspace("training")
        page.form.preset(**self.plan.training)
        yield from self._pause(0.3)
        self._shoot("training-idle")
        click(self._button(page, "pretrain"))
        if self.plan.stop_once:
            yield from self._stop_and_go_on()
        yield from self._follow(status)
        self._shoot("training")
        if page.state != "finished":
            raise AppError(f"Pre-training {page.state}: {page.message}")

    def _stop_and_go_on(self) -> Script:
        page = self.station.job(TrainingController).page
        yield Until(
            "the first epochs",
            lambda: page.step >= 3 or page.state != "running",
            sign=lambda: (page.step, page.message),
        )
        click(self._button(page, "stop"))
        yield Until("the trainer to stop", lambda: page.state != "running", 30)
        self.progress.say(f"Stop pressed: {page.state}; Pretrain continues from the checkpoint")
        click(self._button(page, "pretrain"))

    def _follow(self, status: Callable[[], str]) -> Script:
        page = self.station.job(TrainingController).page

        def ended() -> bool:
            if page.state == "running":
                self.progress.update(status())
                if page.step >= 3:
                    self._shoot("training-running")
            return page.state != "running"

        yield Until("the end of the training", ended, 900, lambda: (page.step, page.message))
        yield from self._pause(0.3)

    def _read_case(self, number: int) -> Script:
        page, canvas = self.station.sitting.reading.page, self.station.sitting.reading.page.canvas
        begun = page.current_case_id
        seconds = self._rng.uniform(*READING_S)
        yield from self._life(seconds * 0.35)
        self._window(canvas)
        yield from self._life(seconds * 0.15)
        at = QPointF(canvas.width() * 0.5, canvas.height() * 0.5)
        wheel(canvas, at, 2 + number % 3)
        yield from self._life(seconds * 0.2)
        if number in (2, 3):
            self._shoot(f"reading-{number}")
        drag(canvas, Qt.MouseButton.MiddleButton, at, QPointF(60, -40), 6)
        yield from self._life(seconds * 0.15)
        if number % 3 == 0:
            press(canvas, Qt.Key.Key_I, "i")
            yield from self._life(seconds * 0.05)
            press(canvas, Qt.Key.Key_I, "i")
        press(canvas, Qt.Key.Key_Space, " ")
        yield from self._life(seconds * 0.15)
        self._shoot_reading()
        press(canvas, self._answer_key())
        press(canvas, Qt.Key.Key_Return)
        yield Until(
            "the next case",
            lambda: page.current_case_id != begun,
            60,
            shown=self._reading_shown,
        )

    def _window(self, canvas: QWidget) -> None:
        start = QPointF(canvas.width() * 0.4, canvas.height() * 0.4)
        by = QPointF(*self._rng.uniform(-30, 30, 2))
        drag(canvas, Qt.MouseButton.LeftButton, start, by, 8)
        drag(canvas, Qt.MouseButton.LeftButton, start + by, -by, 8)

    def _shoot_reading(self) -> None:
        """Keep a picture of a case with a lesion; until one comes, of any other."""
        if not self._lesion_shot:
            self._shot.discard("reading")
            self._shoot("reading")
        self._lesion_shot |= self._label() in ("mass", "spiculated")

    def _label(self) -> str:
        image = self.station.sitting.reading.page.canvas.image
        return self.plan.answers.get(image.image_id if image else "", "")

    def _answer_key(self) -> Qt.Key:
        assert self.station.study is not None
        classes: Sequence[str] = self.station.study.settings.classes
        label = self._label()
        index = classes.index(label) if label in classes else len(classes) - 1
        if self._rng.random() < 0.1:
            index = int(self._rng.integers(len(classes)))
        return Qt.Key(Qt.Key.Key_1 + index)

    def _reading_shown(self) -> str:
        """Return the state of the reading page and its message, to report while waiting for it."""
        page = self.station.sitting.reading.page
        said = page.panel.text if page.panel is not None else page.strip.text
        return f"{page.state}: {said}" if said else page.state

    def _life(self, seconds: float) -> Script:
        """Wait on the session's clock, however fast it runs."""
        clock = self.station.clock
        until_us = clock.now_us() + round(seconds * 1e6)
        yield Until(
            "the next action of the reader", lambda: clock.now_us() >= until_us, 30 + seconds
        )

    def _pause(self, real_seconds: float = _SETTLE_S) -> Script:
        """Let Qt draw what has changed."""
        yield from self._life(real_seconds * self.station.clock.speed)

    def _button(self, page: QWidget, name: str) -> QAbstractButton:
        found = page.findChild(QAbstractButton, name)
        if not isinstance(found, QAbstractButton):
            raise AppError(f"The page {page.objectName()} has no button {name}.")
        return found

    def _shoot(self, name: str) -> None:
        if self.plan.shots is not None and name not in self._shot:
            self._shot.add(name)
            self.plan.shots.mkdir(parents=True, exist_ok=True)
            QApplication.processEvents()
            self.station.window.grab().save(str(self.plan.shots / f"{name}.png"))
