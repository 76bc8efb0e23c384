"""An unattended session: the real station, operated by the simulated reader's mouse and keys."""

import signal
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
from PySide6.QtWidgets import QApplication
from sqlalchemy import select

from app.autopilot.readers import autopilot_reader
from app.demo.progress import Progress
from app.demo.reader import Plan, SimulatedHands
from app.demo.steps import Script, Until, run_script
from app.errors import AppError, StoppedByUser
from app.recording.recovery import close_interrupted
from app.recording.worklist import worklist
from app.station import Station
from app.ui import theme
from migrations.study.folder import Study
from migrations.study.schema import Image, Reading, Recording
from migrations.study.schema import Session as SessionRow

_CLOSE_S = 24 * 3600.0
"""How long the end of a session waits for a full disk or a locked database: nothing is lost."""


@dataclass(frozen=True, slots=True)
class AutopilotOptions:
    """The options of the command line; `cases` and `seed` are None where not given."""

    study: Path
    device: str
    cases: int | None
    speed: float
    rate_hz: float | None
    reader: str | None
    seed: int | None


def drive(options: AutopilotOptions) -> list[str]:
    """Run one session and return the lines of its summary.

    Raises
    ------
    StoppedByUser
        After a signal; what was read is saved, the open case is interrupted.
    AppError, DeviceError, StudyError
        If it cannot be run; what was recorded is kept.
    """
    study = Study.open(options.study, durable=True)
    try:
        # A reader resumes what a crash left open, so recovery comes before the choice of the
        # reader.
        recovered = len(close_interrupted(study.database))
        reader = autopilot_reader(study, options.reader)
        pilot = Autopilot(study, reader, options, Progress())
    except BaseException:
        study.close()
        raise
    with _application(), _signals(pilot.stop):
        return pilot.run(recovered)


class Autopilot:
    """Operates one station from the first target to the closed session."""

    def __init__(
        self, study: Study, reader: str, options: AutopilotOptions, progress: Progress
    ) -> None:
        self._study, self._reader, self._options = study, reader, options
        self._progress = progress
        self._stopped = False
        self._session_id = ""

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stopped = True

    def run(self, recovered: int) -> list[str]:
        """Calibrate, read, close; return the summary."""
        options, progress = self._options, self._progress
        station = Station(
            self._study,
            device_id=options.device,
            rate_hz=options.rate_hz,
            reader=self._reader,
            consented=True,
            speed=options.speed,
            seed=self._seed,
        )
        station.sitting.offer_all()
        hands = SimulatedHands(station, Plan(self._answers(), {}, None, self._seed), progress)
        try:
            station.show()
            with progress.stage("open", self._greeting(recovered)):
                run_script(self._watched(station, self._tracker_found(station)))
            with progress.stage("calibrate", "calibration and validation"):
                run_script(self._watched(station, hands.calibrate()))
            self._note(station)
            with progress.stage("reading", f"reading at {options.speed:g} × real time"):
                run_script(self._watched(station, hands.read(lambda: _recorded(station))))
            with progress.stage("close", "saving and backing up the database"):
                run_script(self._closed(station))
            return self._summary()
        except StoppedByUser:
            station.sitting.close_session()
            run_script(self._closed(station))
            raise
        finally:
            station.close()
            station.window.close()

    @property
    def _seed(self) -> int:
        if self._options.seed is not None:
            return self._options.seed
        return zlib.crc32(self._reader.encode())

    def _greeting(self, recovered: int) -> str:
        cut_off = (
            f", {recovered} readings interrupted by a crash are shown again" if recovered else ""
        )
        return f"reader {self._reader}{cut_off}"

    def _tracker_found(self, station: Station) -> Script:
        devices = station.sitting.worklist.devices
        yield Until("the search for trackers", lambda: devices.found is not None, 30)
        if devices.info is None:
            there = ", ".join(info.id for info in devices.found.trackers) if devices.found else ""
            raise AppError(f"There is no tracker {self._options.device!r}. Available: {there}.")

    def _note(self, station: Station) -> None:
        assert station.sitting.session is not None
        self._session_id = station.sitting.session.session_id
        if self._options.cases is not None:
            station.sitting.session.cases.stop_after(self._options.cases)

    def _watched(self, station: Station, script: Script) -> Script:
        """Run a script, but stop for a signal or an error that the station would show its user."""
        for step in script:
            yield Until(step.what, self._or_trouble(station, step.condition), step.timeout_s)
            if self._stopped:
                raise StoppedByUser(
                    "Stopped: what was recorded is saved; the open case will be shown again."
                )
            if station.shell.last_error:
                raise AppError(station.shell.last_error)

    def _or_trouble(self, station: Station, condition: Callable[[], bool]) -> Callable[[], bool]:
        return lambda: self._stopped or bool(station.shell.last_error) or condition()

    def _closed(self, station: Station) -> Script:
        def closed() -> bool:
            held = station.sitting.sessions.held
            if held is not None and held.writer.problem:
                self._progress.update(held.writer.problem)
            return not station.sitting.sessions.busy

        yield Until("the end of the session", closed, _CLOSE_S)

    def _answers(self) -> dict[str, str]:
        """Return the label of each image if the study offers it as an answer, else any answer."""
        classes, drawn = self._study.settings.classes, np.random.default_rng(self._seed)
        with self._study.database.read() as session:
            rows = session.execute(select(Image.id, Image.label).order_by(Image.id)).all()
        return {
            image_id: label if label in classes else str(drawn.choice(classes))
            for image_id, label in rows
        }

    def _summary(self) -> list[str]:
        with self._study.database.read() as session:
            sitting = session.get_one(SessionRow, self._session_id)
            readings = session.scalars(
                select(Reading).where(Reading.session_id == sitting.id).order_by(Reading.id)
            ).all()
            recordings = session.scalars(
                select(Recording).where(Recording.session_id == sitting.id)
            ).all()
            left = sum(row.state != "finished" for row in worklist(self._study, self._reader))
            return [
                f"reader      {self._reader}",
                f"readings    {_states(readings)}, {left} cases left",
                f"resumed     {sum(r.resumes_id is not None for r in readings)}",
                f"samples     {sum(r.sample_count for r in recordings):,} recorded, "
                f"{sum(r.lost_count for r in recordings):,} lost",
                f"verdicts    {_counted(str(r.verdict) for r in readings)}",
            ]


def _states(readings: Sequence[Reading]) -> str:
    return _counted(reading.state for reading in readings) or "none"


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())


def _recorded(station: Station) -> str:
    if station.sitting.session is None:
        return "all done"
    status = station.sitting.session.recorder.status()
    return f"{status.sample_count:,} samples, {status.missing_count} lost"


@contextmanager
def _application() -> Iterator[None]:
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([])
    theme.apply(application)
    yield
    QApplication.processEvents()


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Make Ctrl+C and SIGTERM end the session in an orderly way; a second one ends it at once."""

    def heard(number: int, _frame: FrameType | None) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
