"""The first page: what Foveate is, and the way to a study."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import button, column, label, panel, row

_ABOUT = (
    "Radiologists read images here as they always do while a tracker records where they look. "
    "From that gaze alone Foveate learns which images mean the same, and pre-trains an encoder."
)
_STEPS = (
    ("1", "Import", "DICOM, PNG, JPEG or TIFF files, de-identified as they come in."),
    ("2", "Read", "Calibrate the tracker, read the cases one by one."),
    ("3", "Pretrain", "Gaze makes the pairs; an encoder and a report come out."),
)
_STEP_LINES = 3


class StartPage(QWidget):
    """Shown while no study is open.

    Signals
    -------
    open_requested, create_requested
        The user wants to choose a folder.
    study_chosen : object
        The folder (`Path`) of a recent study.
    """

    open_requested = Signal()
    create_requested = Signal()
    study_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.name = "start"
        self.setObjectName("start_page")
        self._recent = column(gap=theme.GRID // 2)
        self._message = label("", "error")
        self._message.hide()
        middle = QWidget()
        middle.setFixedWidth(720)
        self._fill(column(middle, gap=2 * theme.GRID))
        layout = column(self, 4 * theme.GRID)
        layout.addStretch(2)
        layout.addWidget(middle, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def show_recent(self, folders: Sequence[Path]) -> None:
        """List studies to open again."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if not folders:
            self._recent.addWidget(label("None yet on this computer.", "hint"))
        for folder in folders:
            self._recent.addWidget(self._entry(folder))

    def show_error(self, text: str) -> None:
        """Say why a study could not be opened."""
        self._message.setText(f"✕ {text}" if text else "")
        self._message.setVisible(bool(text))

    def _fill(self, layout: QVBoxLayout) -> None:
        sign = label("", wrap=False)
        sign.setPixmap(pixmap("reading", theme.ACCENT, 48))
        layout.addLayout(row(sign, label("Foveate", "title", wrap=False), gap=16, stretch=True))
        layout.addWidget(label(_ABOUT, "lead"))
        layout.addWidget(label("For research, not for diagnosis.", "body"))
        layout.addSpacing(theme.GRID)
        layout.addLayout(self._steps())
        layout.addSpacing(theme.GRID)
        layout.addLayout(
            row(
                button("open_study", "Open study…", self.open_requested.emit, role="primary"),
                button("new_study", "New study…", self.create_requested.emit, picture="new"),
                stretch=True,
            )
        )
        layout.addWidget(self._message)
        layout.addSpacing(theme.GRID)
        layout.addWidget(label("Recent studies", "heading"))
        layout.addLayout(self._recent)
        self.show_recent([])

    def _steps(self) -> QHBoxLayout:
        steps = row(gap=2 * theme.GRID)
        for number, title, text in _STEPS:
            steps.addWidget(_step(number, title, text), 1)
        return steps

    def _entry(self, folder: Path) -> QPushButton:
        made = button(
            "recent_study",
            f"{folder.name}    {folder.parent}",
            lambda: self.study_chosen.emit(folder),
            role="quiet",
            picture="open",
        )
        made.setStyleSheet("text-align: left;")
        return made


def _step(number: str, title: str, text: str) -> QFrame:
    frame, layout = panel()
    layout.addWidget(label(f"{number}  {title}", "heading"))
    words = label(text, "hint")
    words.setAlignment(Qt.AlignmentFlag.AlignTop)
    words.setMinimumHeight(_STEP_LINES * words.fontMetrics().lineSpacing())
    layout.addWidget(words)
    layout.addStretch(1)
    return frame
