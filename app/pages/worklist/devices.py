"""Which trackers are attached: looked for off the GUI thread, offered on the worklist page."""

from PySide6.QtCore import QObject, Signal

from app.pages.worklist.page import WorklistPage
from app.recording.last_tracker import preferred
from app.ui.background import Task, run
from app.ui.text import tr
from devices.catalogue import Found, find_trackers
from devices.tracker import TrackerInfo
from migrations.study.folder import Study

_TIMEOUT_S = 1.5


class DeviceController(QObject):
    """Keeps the chooser of trackers up to date.

    Attributes
    ----------
    chosen
        Id of the tracker to open; "" while none is chosen: no stand-in is taken unasked.
    found
        What the last search brought; None before the first.

    Signals
    -------
    changed
        Another tracker was chosen, or a search has ended.
    """

    changed = Signal()

    def __init__(self, page: WorklistPage, chosen: str, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self.chosen = chosen
        self.found: Found | None = None
        self._task: Task | None = None
        self._network = False
        page.devices_wanted.connect(self.search)
        page.device_chosen.connect(self._choose)

    @property
    def info(self) -> TrackerInfo | None:
        """What is known of the chosen tracker."""
        trackers = self.found.trackers if self.found else ()
        return next((info for info in trackers if info.id == self.chosen), None)

    def set_study(self, study: Study | None) -> None:
        """Look beyond this computer from now on if this study allows it."""
        self._network = study is not None and study.settings.lsl_network

    def search(self) -> None:
        """Look for trackers; the chooser is filled when they have answered."""
        if self._task is None:
            network = self._network
            self._task = run(
                self, lambda: find_trackers(_TIMEOUT_S, network=network), self._took, self._failed
            )

    def choose(self, device_id: str) -> None:
        """Take this tracker from now on."""
        self._page.show_devices(self.found.trackers if self.found else (), device_id)
        self._choose(device_id)

    def keep(self, device_id: str) -> None:
        """Stay with this tracker after all."""
        self.chosen = device_id
        self._page.show_devices(self.found.trackers if self.found else (), device_id)

    def close(self) -> None:
        """Wait for a search that goes on."""
        if self._task is not None:
            self._task.wait(2 * _TIMEOUT_S)

    def _choose(self, device_id: str) -> None:
        if device_id != self.chosen:
            self.chosen = device_id
            self.changed.emit()

    def _took(self, found: Found) -> None:
        self._task, self.found = None, found
        self.chosen = self.chosen or preferred(found.trackers)
        self._page.show_devices(found.trackers, self.chosen)
        self._page.show_missing("\n".join(str(line) for line in found.missing))
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self._task = None
        said = tr("The search for trackers failed: {why}", why=error)
        self._page.show_missing(f"⚠ {said}")
