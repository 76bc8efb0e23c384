"""The span of a reading for path, heat map and figures: from one instant to another."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr

Span = tuple[int, int]


class SpanBar(QWidget):
    """Takes both ends from the position of the replay.

    Attributes
    ----------
    span
        Microseconds since the start; None for the whole reading.

    Signals
    -------
    here_wanted : int
        Which end (0 or 1) should be at the position of the replay: answer with `set_end`.
    changed
        Another span is in force.
    """

    here_wanted = Signal(int)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.span: Span | None = None
        self._longest = 0
        tip = tr("Limits path, heat map and figures to this time span")
        self.begin = button("span_from", tr("From here"), lambda: self.here_wanted.emit(0), tip=tip)
        self.end = button("span_to", tr("To here"), lambda: self.here_wanted.emit(1), tip=tip)
        self.whole = button("span_whole", tr("Whole reading"), self.clear)
        self._said = label("", "hint", wrap=False)
        lines = column(self, gap=theme.GRID // 2)
        lines.addLayout(row(self.begin, self.end, self.whole, stretch=True))
        lines.addWidget(self._said)
        self._show()

    def set_length(self, longest_us: int) -> None:
        """Belong to another reading, initially all of it."""
        self._longest, self.span = longest_us, None
        self._show()

    def set_end(self, which: int, time_us: int) -> None:
        """Move an end; the other one moves too if it would be on the wrong side."""
        begin, end = self.span or (0, self._longest)
        if which == 0:
            begin, end = time_us, (end if end > time_us else self._longest)
        else:
            begin, end = (begin if begin < time_us else 0), time_us
        self.span = (begin, end) if end > begin else None
        self._show()
        self.changed.emit()

    def clear(self) -> None:
        """Show the whole reading again."""
        self.span = None
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        self.whole.setVisible(self.span is not None)
        self._said.setVisible(self.span is not None)
        if self.span is None:
            self._said.setText("")
            return
        begin, end = (time_us / 1e6 for time_us in self.span)
        self._said.setText(tr("Only {begin} to {end} s", begin=f"{begin:.1f}", end=f"{end:.1f}"))
