"""Between cases: a fixation mark at the study's interval, and an offer to recalibrate."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from app.pages.calibration.page import CalibrationPage
from app.recording.calibration.drift import MARK, DriftProbe
from app.recording.session import ReadingSession
from app.shell.window import MainWindow
from app.ui.dialogs import ChoiceDialog
from app.ui.screen import desktop_point
from app.ui.text import tr

_POLL_MS = 20


class DriftCheck(QObject):
    """Runs before each case; shows it at once if no probe is due.

    Parameters
    ----------
    session
        Returns the open session.
    recalibrate
        Called when the reader wants to recalibrate; reading continues from there.
    """

    def __init__(
        self,
        window: MainWindow,
        page: CalibrationPage,
        session: Callable[[], ReadingSession | None],
        recalibrate: Callable[[], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._window, self._page = window, page
        self._session, self._recalibrate = session, recalibrate
        self._probe: DriftProbe | None = None
        self._go_on: Callable[[], object] = lambda: None
        self._read = 0
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self._check)
        page.cancelled.connect(self._skip)

    def before_case(self, go_on: Callable[[], object]) -> None:
        """Call `go_on` when the next case may be shown."""
        session = self._session()
        self._read += 1
        if session is None or not self._is_due(session):
            go_on()
            return
        self._read, self._go_on = 0, go_on
        self._show(session)

    def reset(self) -> None:
        """Restart the count: a session or a calibration has begun."""
        self._poll.stop()
        if self._probe is not None:
            self._probe.cancel()
        self._probe, self._read = None, 0

    def _is_due(self, session: ReadingSession) -> bool:
        every = session.study.settings.drift_every_cases
        more = session.next_case() is not None
        return more and every > 0 and self._read >= every and session.validation is not None

    def _show(self, session: ReadingSession) -> None:
        speed = session.clock.speed
        self._window.show_page("calibration")
        at = desktop_point(session.setup.geometry, *MARK)
        said = tr("Look at the dot. The next case follows.")
        self._page.show_target("drift", at, MARK, said, speed)
        self._probe = session.probe_drift()
        self._poll.start()

    def _check(self) -> None:
        session, probe = self._session(), self._probe
        if session is None or probe is None:
            self._poll.stop()
        elif probe.is_done():
            self._poll.stop()
            self._probe = None
            self._judge(session, probe.drift_deg())

    def _judge(self, session: ReadingSession, drift_deg: float | None) -> None:
        limit_deg = session.study.settings.max_drift_deg
        if drift_deg is not None and drift_deg <= limit_deg:
            self._leave()
            return
        if drift_deg is None:
            title = tr("Drift cannot be measured")
            finding = tr("The tracker did not see your eyes on the dot.")
        else:
            title = tr("The calibration has drifted")
            finding = tr(
                "Your gaze is {drift:.1f}° off the dot (limit {limit:g}°).",
                drift=drift_deg, limit=limit_deg,
            )  # fmt: skip
        marked = tr("Unless you recalibrate, readings from here on are marked.")
        ChoiceDialog(
            self._window,
            title,
            f"{finding} {marked}",
            ("recalibrate", tr("Recalibrate"), self._calibrate),
            ("go_on_drifted", tr("Continue"), self._leave),
        ).open()

    def _calibrate(self) -> None:
        self._page.show_idle(tr("Recalibrate, then continue reading."))
        self._recalibrate()

    def _skip(self) -> None:
        if self._probe is not None:
            self._poll.stop()
            self._probe.cancel()
            self._probe = None
            self._leave()

    def _leave(self) -> None:
        page = self._page
        if page.result is not None:
            page.show_result(page.result)
        else:
            page.show_idle(tr("Not calibrated in this session."))
        self._window.show_page("reading")
        go_on, self._go_on = self._go_on, lambda: None
        go_on()
