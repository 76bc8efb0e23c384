"""What window, calibration page and reading strip say about tracker, recording and reader."""

from app.pages.calibration.page import CalibrationPage
from app.pages.reading.strip import ReadingStrip
from app.pages.worklist.devices import DeviceController
from app.recording.session import ReadingSession
from app.shell.window import MainWindow
from app.sitting.health import Health
from app.ui.job import ChosenReader
from app.ui.stand_in import stand_in_text
from app.ui.text import tr
from migrations.study.folder import Study

_NEED_A_SESSION = ("calibration", "reading")


class SittingStatus:
    """Shows the current state wherever it is displayed."""

    def __init__(
        self,
        window: MainWindow,
        calibration: CalibrationPage,
        strip: ReadingStrip,
        devices: DeviceController,
    ) -> None:
        self._window, self._calibration, self._strip = window, calibration, strip
        self._devices = devices

    def show_tracker(self, study: Study, session: ReadingSession | None) -> None:
        """Say which tracker is used, and whether it records."""
        self._window.show_session("open" if session is not None else "")
        info = session.tracker.info if session else self._devices.info
        if info is None:
            chosen = self._devices.chosen  # before the first search its kind is known by its id
            self._window.show_device(
                tr("Tracker: {name}", name=chosen) if chosen else tr("No tracker selected"),
                stand_in=stand_in_text(chosen),
            )
            return
        points = study.settings.calibration_points
        self._window.show_device(info.name, stand_in=stand_in_text(info.kind))
        self._strip.show_stand_in(stand_in_text(info.kind))
        self._calibration.show_device(info.name, info.calibrates, points)

    def show_reader(self, reader: ChosenReader, why_not: str) -> None:
        """Name the reader, and say whether a session can begin, or what prevents it."""
        for name in _NEED_A_SESSION:
            self._window.enable(name, not why_not, why_not)
        self._window.show_reader(
            tr("Reader {name}", name=reader.name) if reader.name else tr("No reader selected")
        )

    def show_health(self, health: Health) -> None:
        """Show the state of the recording in the strip and in the navigation."""
        self._strip.show_tracking(
            health.text, warn=health.warn, detail=health.detail, shorter=health.shorter
        )
        self._window.show_trouble(health.text if health.warn else "", health.detail)
