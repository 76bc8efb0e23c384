"""The thin strip of the reading view: which case, recording, tracking, answer. Never the gaze."""

from PySide6.QtWidgets import QFrame, QLabel

from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import ElidedLabel, label, row, say

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
        self._tracking = ElidedLabel("small")
        self._message = ElidedLabel("small")
        self._answer = label("", "small", wrap=False)
        layout = row(gap=theme.GRID, parent=self)
        layout.setContentsMargins(16, 0, 16, 0)
        for widget in (self._case, self._dot, self._recording, self._tracking):
            layout.addWidget(widget)
            layout.addSpacing(0 if widget is self._dot else 16)
        layout.addStretch(1)
        layout.addWidget(self._message)
        layout.addSpacing(16)
        layout.addWidget(self._answer)
        self.show_recording(False)

    @property
    def text(self) -> str:
        """All that it says."""
        parts = (self._case, self._recording, self._tracking, self._message, self._answer)
        return " · ".join(p.text() for p in parts if p.text())

    def show_case(self, name: str, number: int, count: int) -> None:
        """Say which case this is, and of how many."""
        self._case.setText(f"Case {number} of {count}, {name}")

    def show_recording(self, recording: bool) -> None:
        """Show the recording sign."""
        self._dot.setVisible(recording)
        self._recording.setText("Recording" if recording else "Not recording")

    def show_tracking(self, text: str, *, warn: bool, detail: str = "") -> None:
        """Say how the tracking is."""
        say(self._tracking, f"⚠ {text}" if warn else text, "warning" if warn else "small")
        self._tracking.setToolTip(detail)
        self._smaller(self._tracking)

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

    def _smaller(self, target: QLabel) -> None:
        target.setFont(theme.font("small"))
