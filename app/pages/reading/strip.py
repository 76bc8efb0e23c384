"""The thin strip of the reading view: which case, recording, tracking, answer. Never the gaze."""

from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel

from app.ui import theme
from app.ui.announce import announce
from app.ui.edge_bands import sized_font
from app.ui.icons import pixmap
from app.ui.small_widgets import ElidedLabel, label, row, say
from app.ui.text import tr

HEIGHT = 32


class ReadingStrip(QFrame):
    """Says quietly how the reading stands; nothing in it moves or is bright."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("strip")
        self.setProperty("role", "strip")
        self.setFixedHeight(HEIGHT)
        self._case = label("", "small", wrap=False)
        self._dot = QLabel()
        self._dot.setPixmap(pixmap("dot", theme.RED, 14))
        self._recording = label("", "small", wrap=False)
        self._badge = label("", "badge", wrap=False)
        self._badge.hide()
        self._tracking = ElidedLabel("small")
        self._message = ElidedLabel("small")
        self._answer = label("", "small", wrap=False)
        layout = row(gap=theme.GRID, parent=self)
        layout.setContentsMargins(16, 0, 16, 0)
        for widget in (self._case, self._dot, self._recording, self._badge, self._tracking):
            layout.addWidget(widget)
            layout.addSpacing(0 if widget is self._dot else 16)
        layout.addStretch(1)
        layout.addWidget(self._message)
        layout.addSpacing(16)
        layout.addWidget(self._answer)
        self._text_pixels = 0.0
        self._said = ""
        self.show_recording(False)

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
        self._case.setText(self._said)

    def show_views(self, page: int, count: int, key: str) -> None:
        """Say which views of the case hang (from 0), and which key brings the others."""
        more = tr("views {page} of {count}, {key}: next", page=page + 1, count=count, key=key)
        self._case.setText(f"{self._said}   {more}" if count > 1 else self._said)

    def show_recording(self, recording: bool, *, paused: bool = False) -> None:
        """Light the recording sign, or say why it is not lit."""
        self._dot.setVisible(recording)
        idle = tr("Paused") if paused else tr("Not recording")
        self._recording.setText(tr("Recording") if recording else idle)

    def show_tracking(self, text: str, *, warn: bool, detail: str = "") -> None:
        """Say how the tracking is."""
        say(self._tracking, f"⚠ {text}" if warn else text, "warning" if warn else "small")
        self._tracking.setToolTip(detail)
        self._smaller(self._tracking)

    def show_stand_in(self, text: str) -> None:
        """Say for good that the gaze is not a person's; empty where it is."""
        self._badge.setText(text)
        self._badge.setVisible(bool(text))

    def show_answer(self, text: str) -> None:
        """Show the answer that was chosen."""
        self._answer.setText(text)

    def clear(self) -> None:
        """Say nothing but that nothing is being read."""
        for part in (self._case, self._tracking, self._message, self._answer):
            part.setText("")
        self.show_recording(False)

    def show_message(self, text: str, *, warn: bool = False) -> None:
        """Say something about what to do; empty for nothing."""
        say(self._message, f"⚠ {text}" if warn and text else text, "warning" if warn else "small")
        self._smaller(self._message)
        if warn:
            announce(self, text)

    def _smaller(self, target: QLabel) -> None:
        target.setFont(self._font())

    def _font(self) -> QFont:
        return sized_font(self._text_pixels) if self._text_pixels else theme.font("small")
