"""What is running beside a page: its stage, progress, rate, time left, and Stop."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QProgressBar

from app.ui import theme
from app.ui.small_widgets import button, column, label, row
from app.ui.text import tr


class WorkBar(QFrame):
    """Shows the events of a command; hidden while nothing is running.

    Signals
    -------
    stop_wanted
        Stop was pressed.
    """

    stop_wanted = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "panel")
        self._title, self._text = "", label("", "hint")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self.stop = button(f"{name}_stop", tr("Stop"), self._stop, picture="stop")
        inside = column(gap=theme.GRID // 2)
        inside.addWidget(self._text)
        inside.addWidget(self._bar)
        line = row(gap=2 * theme.GRID, parent=self)
        line.setContentsMargins(*[theme.GRID + theme.GRID // 2] * 4)
        line.addLayout(inside, 1)
        line.addWidget(self.stop)
        self.hide()

    @property
    def text(self) -> str:
        """Its text."""
        return self._text.text()

    def begin(self, title: str) -> None:
        """Show that something begins, before anything is known about it."""
        self._title = title
        self._bar.setRange(0, 0)
        self._text.setText(title)
        self.stop.setEnabled(True)
        self.show()

    def take(self, event: Mapping[str, Any]) -> None:
        """Show an event of the process protocol; only stage and progress are displayed."""
        if event.get("event") == "stage":
            self._bar.setRange(0, 0)
            self._say(str(event.get("message") or _stage(event)))
        elif event.get("event") == "progress":
            total = int(event.get("total") or 0)
            self._bar.setRange(0, total)
            self._bar.setValue(int(event.get("done") or 0))
            self._say(": ".join(filter(None, (_stage(event), progress_text(event)))))

    def end(self) -> None:
        """Nothing is running any more."""
        self.hide()

    def _say(self, text: str) -> None:
        self._text.setText(f"{self._title} {text}".strip())

    def _stop(self) -> None:
        self.stop.setEnabled(False)
        self._say(tr("Stopping…"))
        self.stop_wanted.emit()


def _stage(event: Mapping[str, Any]) -> str:
    """Return the stage of an event in words."""
    word = str(event.get("stage") or "")
    said = word[:1].upper() + word[1:]
    return tr(said) if said else ""


def progress_text(event: Mapping[str, Any]) -> str:
    """Return count, rate and time left of a progress event."""
    unit = tr(word) if (word := str(event.get("unit") or "")) else ""
    done, total = int(event.get("done") or 0), int(event.get("total") or 0)
    parts = [tr("{done} of {total} {unit}", done=f"{done:,}", total=f"{total:,}", unit=unit)]
    if rate := event.get("rate"):
        parts.append(tr("{rate}/s", rate=f"{rate:,.1f} {unit}".strip()))
    if (left := event.get("seconds_left")) is not None:
        parts.append(tr("{time} left", time=duration_text(float(left))))
    return ", ".join(part.strip() for part in parts)


def duration_text(seconds: float) -> str:
    """Return a duration in everyday words.

    Examples
    --------
    >>> duration_text(4.2), duration_text(75), duration_text(3725)
    ('4 s', '1 min 15 s', '1 h 02 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return tr("{hours} h {minutes} min", hours=hours, minutes=f"{minutes:02d}")
    if minutes:
        return tr("{minutes} min {seconds} s", minutes=minutes, seconds=f"{rest:02d}")
    return tr("{seconds} s", seconds=rest)
