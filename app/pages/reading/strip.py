"""The thin strip of the reading view: which case, recording, tracking, answer. Never the gaze."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel

from app.ui import theme
from app.ui.announce import announce
from app.ui.edge_bands import sized_font
from app.ui.icons import pixmap
from app.ui.small_widgets import ElidedLabel, FittedLabel, label, row, say, set_role
from app.ui.text import tr

HEIGHT = 32
_EDGE, _GAP = 16, 16
_BETWEEN = 2 * _EDGE + 6 * _GAP + 7 * theme.GRID
"""Edges of the strip, and gaps between its parts."""


class ReadingStrip(QFrame):
    """Says quietly how the reading stands; nothing in it moves or is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setProperty("role", "strip")
        self.setFixedHeight(HEIGHT)
        self._case = ElidedLabel("small")
        self._dot = QLabel()
        self._dot.setPixmap(pixmap("dot", theme.RED, 14))
        self._recording = label("", "small", wrap=False)
        self._badge = label("", "badge", wrap=False)
        self._badge.hide()
        self._tracking = FittedLabel("small")
        self._message = ElidedLabel("small")
        self._answer = ElidedLabel("small")
        layout = row(gap=theme.GRID, parent=self)
        layout.setContentsMargins(_EDGE, 0, _EDGE, 0)
        for widget in (self._case, self._dot, self._recording, self._badge, self._tracking):
            layout.addWidget(widget)
            layout.addSpacing(0 if widget is self._dot else _GAP)
        layout.addStretch(1)
        layout.addWidget(self._message)
        layout.addSpacing(_GAP)
        layout.addWidget(self._answer)
        self._text_pixels = 0.0
        self._said = ""
        self.show_recording(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Say as much of the tracking as there is room for."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        """Let no sentence in it widen the window."""
        return QSize(0, self.height())

    def set_text_size(self, pixels: float) -> None:
        """Write in letters of so many `_view` pixels from now on."""
        self._text_pixels = pixels
        self.setFixedHeight(max(HEIGHT, round(2.4 * pixels)))
        for part in (
            self._case, self._recording, self._badge, self._tracking, self._message, self._answer
        ):  # fmt: skip
            part.setFont(self._font())
            # A font size of the style sheet would win over the widget's own font.
            part.setStyleSheet(f"font-size: {round(pixels)}px;")
        self._fit()

    @property
    def text(self) -> str:
        """All that it says."""
        parts = (
            self._case, self._recording, self._badge, self._tracking, self._message, self._answer
        )  # fmt: skip
        return " · ".join(p.text() for p in parts if p.text())

    def show_case(self, name: str, number: int, count: int) -> None:
        """Say which case this is, and of how many."""
        self._said = tr("Case {number} of {count}, {name}", number=number, count=count, name=name)
        self._say_case(self._said)

    def show_views(self, page: int, count: int, key: str) -> None:
        """Say which views of the case hang (from 0), and which key brings the others."""
        more = tr("views {page} of {count}, {key}: next", page=page + 1, count=count, key=key)
        self._say_case(f"{self._said}   {more}" if count > 1 else self._said)

    def show_recording(self, recording: bool, *, paused: bool = False) -> None:
        """Light the recording sign, or say why it is not lit."""
        self._dot.setVisible(recording)
        idle = tr("Paused") if paused else tr("Not recording")
        self._recording.setText(tr("Recording") if recording else idle)
        self._fit()

    def show_tracking(self, text: str, *, warn: bool, detail: str = "", shorter: str = "") -> None:
        """Say how the tracking is; a warning takes the room of all else but sign and badge.

        Parameters
        ----------
        shorter
            What stands for the text where it does not fit; the tool tip says the whole.
        """
        sign = "⚠ " if warn else ""
        short = f"{sign}{shorter}" if shorter else ""
        self._tracking.say(f"{sign}{text}", short, claims_room=warn)
        set_role(self._tracking, "warning" if warn else "small")
        whole = "\n".join(part for part in (text, detail) if part) if warn else detail
        self._tracking.setToolTip(whole)
        self._tracking.setAccessibleDescription(whole)
        self._smaller(self._tracking)
        self._fit()

    def show_stand_in(self, text: str) -> None:
        """Say for good that the gaze is not a person's; empty where it is."""
        self._badge.setText(text)
        self._badge.setVisible(bool(text))
        self._fit()

    def show_answer(self, text: str) -> None:
        """Show the answer that was chosen."""
        self._answer.setText(text)
        self._answer.setToolTip(text)

    def clear(self) -> None:
        """Say nothing but that nothing is being read."""
        for part in (self._case, self._tracking, self._message, self._answer):
            part.setText("")
        self.show_recording(False)

    def show_message(self, text: str, *, warn: bool = False) -> None:
        """Say something about what to do; empty for nothing."""
        say(self._message, f"⚠ {text}" if warn and text else text, "warning" if warn else "small")
        self._message.setToolTip(text)
        self._smaller(self._message)
        if warn:
            announce(self, text)

    def _fit(self) -> None:
        """Leave the tracking all but what never gives way: sign, recording, badge, edges."""
        parts = (self._dot, self._recording, self._badge)
        kept = sum(part.sizeHint().width() for part in parts if not part.isHidden())
        self._tracking.fit(self.width() - kept - _BETWEEN)

    def _say_case(self, text: str) -> None:
        self._case.setText(text)
        self._case.setToolTip(text)

    def _smaller(self, target: QLabel) -> None:
        target.setFont(self._font())

    def _font(self) -> QFont:
        return sized_font(self._text_pixels) if self._text_pixels else theme.font("small")
