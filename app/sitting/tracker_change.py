"""Choosing another tracker ends the open session, so the user is asked first."""

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.pages.worklist.devices import DeviceController
from app.ui.dialogs import ConfirmDialog
from app.ui.text import tr


class TrackerChange:
    """Asks once, however often the choice is reported.

    Parameters
    ----------
    change
        Ends the session; the chosen tracker is used in the next one.
    changed
        Called after either answer.
    """

    def __init__(
        self,
        window: QWidget,
        devices: DeviceController,
        change: Callable[[], object],
        changed: Callable[[], object],
    ) -> None:
        self._window, self._devices = window, devices
        self._change, self._changed = change, changed
        self._asking = False

    def ask(self, before: str) -> None:
        """Ask whether to leave the tracker `before`, which the open session uses."""
        if self._asking:
            return
        self._asking = True
        ConfirmDialog(
            self._window,
            tr("Change the tracker?"),
            tr("This ends the open session. The next one starts with a calibration."),
            ("change_tracker", tr("Change the tracker"), lambda: self._answered(self._change)),
            tr("Keep the tracker"),
            lambda: self._answered(lambda: self._devices.keep(before)),
        ).open()

    def _answered(self, do: Callable[[], object]) -> None:
        self._asking = False
        do()
        self._changed()
