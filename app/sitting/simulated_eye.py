"""Tells a simulated reader what is on the screen; hardware does not need it."""

from PySide6.QtCore import QObject

from app.images.store import LoadedImage
from app.recording.stimulus import Findings, FindingSource, salient_targets, stimulus_for
from app.ui.background import run
from devices.gaze.geometry import ScreenGeometry
from devices.gaze.view import TileView
from devices.simulated import SimulatedTracker
from devices.tracker import Tracker
from migrations.study.folder import Study


class SimulatedEye(QObject):
    """Connects what the station shows with a `SimulatedTracker`; idle with any other.

    Parameters
    ----------
    findings
        The findings in an image; if None, its salient places.
    """

    def __init__(self, findings: FindingSource | None, parent: QObject) -> None:
        super().__init__(parent)
        self._findings = findings
        self._study: Study | None = None
        self._tracker: SimulatedTracker | None = None
        self._geometry: ScreenGeometry | None = None
        self._view: TileView | None = None
        self._attending = False

    def use(
        self, study: Study | None, tracker: Tracker | None, geometry: ScreenGeometry | None
    ) -> None:
        """Look through this tracker from now on; None for none."""
        self._study, self._geometry, self._view = study, geometry, None
        self._tracker = tracker if isinstance(tracker, SimulatedTracker) else None

    def fixate(self, x_norm: float, y_norm: float) -> None:
        """Look at a calibration target."""
        if self._tracker is not None:
            self._view = None
            self._tracker.fixate(x_norm, y_norm)

    def see(self, view: TileView | None, image: LoadedImage | None) -> None:
        """Read what is on the screen; None for nothing."""
        if self._tracker is None or self._geometry is None:
            return
        before, self._view = self._view, view
        if view is None:
            self._attending = False
            self._tracker.attend(None)
        elif before is None or before.image_id != view.image_id:
            self._attending = False
            self._find(view.image_id)
        elif self._attending:
            self._tracker.move(stimulus_for(view, self._geometry, Findings()).to_norm)

    def _find(self, image_id: str) -> None:
        if self._findings is not None:
            self._attend(image_id, self._findings(image_id))
            return
        study = self._study
        assert study is not None
        # Decoding a large presentation takes longer than the GUI thread may block.
        run(
            self,
            lambda: Findings(salient_targets(study.presentation(image_id))),
            lambda findings: self._attend(image_id, findings),
            lambda _error: self._attend(image_id, Findings()),
        )

    def _attend(self, image_id: str, findings: Findings) -> None:
        view = self._view
        if self._tracker is None or self._geometry is None or view is None:
            return
        if view.image_id == image_id:
            self._attending = True
            self._tracker.attend(stimulus_for(view, self._geometry, findings))
