"""A reading on the review page, drawn as it was on the reader's screen, at a smaller size."""

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.pages.review.replay_drawing import ReplayDrawing
from app.recording.replay import Replay
from app.ui.text import tr


class ReplayView(QWidget):
    """Shows one reading at one instant.

    Attributes
    ----------
    drawing
        What is drawn, and what over the images.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("replay_view")
        self.setAccessibleName(tr("Replay of a reading"))
        self.setMinimumSize(320, 200)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.drawing = ReplayDrawing()

    @property
    def replay(self) -> Replay | None:
        """What is shown."""
        return self.drawing.replay

    def set_replay(self, replay: Replay | None) -> None:
        """Show another reading from its start."""
        self.drawing.set_replay(replay)
        self.update()

    def set_span(self, span: tuple[int, int] | None) -> None:
        """Draw path and heat map only for a span of microseconds; None for the whole reading."""
        self.drawing.set_span(span)
        self.update()

    def set_time(self, time_us: int) -> None:
        """Show an instant since the start."""
        self.drawing.set_time(time_us)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the reading in the size of the widget."""
        self.drawing.width, self.drawing.height = self.width(), self.height()
        self.drawing.ratio = self.devicePixelRatioF()
        self.drawing.draw(QPainter(self))
