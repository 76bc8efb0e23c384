"""The station page: the screen as measured, and the reasons not to trust it."""

from dataclasses import asdict
from typing import Any

from PySide6.QtGui import QScreen

from app.errors import AppError
from app.pages.setup.page import SetupPage
from app.recording.night_light import night_light
from app.recording.screen_setup import StationSetup, load_setup, save_setup, warnings_of
from app.ui.background import run
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.keys import KeyMap, load_keys, save_keys
from app.ui.screen import screen_geometry
from app.ui.text import told, tr
from devices.gaze.geometry import ScreenGeometry
from devices.tracker import TellsDisplayArea, Tracker


class SetupController(StationJob):
    """Stores set-up and keys, and shows them."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = SetupPage()
        self.pages = (JobPage("setup", page, tr("Station"), "reader"),)
        self._night_light: bool | None = None
        self.tracker_mm: tuple[float, float] | None = None
        page.saved.connect(self._save)
        page.keys_saved.connect(self._save_keys)
        context.notices.session_opened.connect(lambda session: self.tracker_known(session.tracker))
        loaded = load_keys()
        page.show_keys(loaded.keys, loaded.problem)

    def tracker_known(self, tracker: Tracker) -> None:
        """Compare the screen with the tracker's assumption about it, if the tracker reports one."""
        area = tracker.display_area() if isinstance(tracker, TellsDisplayArea) else None
        self.tracker_mm = None if area is None else (area.width_mm, area.height_mm)

    def refresh(self) -> None:
        """Show the set-up of the window's screen; the system's information about it follows."""
        geometry = screen_geometry(self.context.window.screen())
        self.page.show_setup(load_setup(geometry.name), geometry)
        self._warn()
        run(self, night_light, self._show_night_light, lambda _error: None)

    def _show_night_light(self, on: bool | None) -> None:
        self._night_light = on
        self._warn()

    def _warn(self) -> None:
        geometry = screen_geometry(self.context.window.screen())
        found = warnings_of(
            load_setup(geometry.name),
            geometry,
            night_light=self._night_light,
            tracker_mm=self.tracker_mm,
        )
        self.page.show_warnings([told(warning) for warning in found])

    def _save(self, setup: StationSetup) -> None:
        geometry = screen_geometry(self.context.window.screen())
        try:
            save_setup(geometry.name, setup)
        except AppError as error:
            self.context.show_error(tr("The station settings could not be saved"), error)
            return
        self.context.close_session()  # it was opened with another size of the screen
        self.refresh()

    def _save_keys(self, keys: KeyMap) -> None:
        try:
            save_keys(keys)
        except AppError as error:
            self.context.show_error(tr("The keys could not be saved"), error)
            return
        self.context.notices.keys_changed.emit(keys)
        self.page.show_keys(keys)


def tracked_screen(screen: QScreen) -> tuple[ScreenGeometry, dict[str, Any]]:
    """Return a screen in measured millimetres, and what a session's row keeps of its set-up."""
    geometry = screen_geometry(screen)
    setup = load_setup(geometry.name)
    kept = asdict(setup) | {
        "scaling_now": geometry.device_pixel_ratio,
        "refresh_now_hz": geometry.refresh_hz,
        "warnings": [str(warning) for warning in warnings_of(setup, geometry)],
    }
    return setup.applied(geometry), {"station_setup": kept}
