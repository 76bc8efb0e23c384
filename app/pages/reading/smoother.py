"""What was sampled fast while moving is sampled smoothly at rest, off the GUI thread."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.hanging.image_view import ImageView
from app.ui.background import run

REST_MS = 140


class Smoother(QTimer):
    """Waits for the view to rest; each `start` restarts the wait.

    Parameters
    ----------
    widget
        Where the views are drawn.
    views
        Returns those on the screen.
    is_held
        Whether a drag is in progress, so that the view does not rest yet.
    """

    def __init__(
        self,
        widget: QWidget,
        views: Callable[[], Iterable[ImageView]],
        is_held: Callable[[], bool],
    ) -> None:
        super().__init__(widget)
        self._widget, self._views, self._is_held = widget, views, is_held
        self.setSingleShot(True)
        self.setInterval(REST_MS)
        self.timeout.connect(self._smooth)

    def disturb(self) -> None:
        """Wait from now on, if there is anything to smooth."""
        if self._rough():
            self.start()

    def _rough(self) -> list[ImageView]:
        return [view for view in self._views() if not view.smooth]

    def _moves(self) -> bool:
        return self._is_held() or self.isActive()

    def _smooth(self) -> None:
        rough = self._rough()
        if self._moves() or not rough:
            return
        ratio = self._widget.devicePixelRatioF()
        seen = [(view.viewport.copy(), view.image.stored) for view in rough]

        def work() -> None:
            for viewport, stored in seen:
                viewport.resample_ahead(stored, ratio)

        run(self, work, lambda _none: self._show(rough), lambda _error: self._show(rough))

    def _show(self, rough: Iterable[ImageView]) -> None:
        if self._moves():
            return  # it is smoothed when it rests again
        for view in rough:
            view.settle()
        self._widget.update()
