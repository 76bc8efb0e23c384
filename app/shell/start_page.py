"""The first page: what Foveate is, and the way to a study."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.icons import pixmap
from app.ui.small_widgets import button, column, label, panel, row, set_role
from app.ui.text import tr

_ABOUT = (
    "Radiologists read images as usual while an eye tracker records where they look. From their "
    "gaze alone, Foveate learns which images are alike and pre-trains an image encoder."
)
_STEPS = (
    ("1", "Import", "DICOM, PNG, JPEG or TIFF files, de-identified on import."),
    ("2", "Read", "Calibrate the tracker, then read the cases one by one."),
    ("3", "Pretrain", "Gaze defines the pairs. You get an encoder and a report."),
)
_STEP_LINES = 4


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
        self._makes = button("new_study", tr("New study…"), self.create_requested.emit)
        self._opens = button("open_study", tr("Open study…"), self.open_requested.emit)
        self._ways = row(self._makes, self._opens, stretch=True)
        self._recent = column(gap=theme.GRID // 2)
        self._message = label("", "error")
        self._message.hide()
        middle = QWidget()
        middle.setFixedWidth(880)
        self._fill(column(middle, gap=2 * theme.GRID))
        layout = column(self, 4 * theme.GRID)
        layout.addStretch(2)
        layout.addWidget(middle, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)

    def show_recent(self, folders: Sequence[Path]) -> None:
        """List studies to open again; where there is none, a new one is what comes first."""
        first, second = (self._opens, self._makes) if folders else (self._makes, self._opens)
        self._ways.insertWidget(0, first)
        QWidget.setTabOrder(first, second)
        set_role(first, "primary")
        set_role(second, "")
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        if not folders:
            self._recent.addWidget(label(tr("None on this computer yet."), "hint"))
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
        layout.addWidget(label(tr(_ABOUT), "lead"))
        layout.addWidget(label(tr("For research, not for diagnosis."), "body"))
        layout.addSpacing(theme.GRID)
        layout.addLayout(self._steps())
        layout.addSpacing(theme.GRID)
        layout.addLayout(self._ways)
        layout.addWidget(self._message)
        layout.addSpacing(theme.GRID)
        layout.addWidget(label(tr("Recent studies"), "heading"))
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
    layout.addWidget(label(f"{number}  {tr(title)}", "heading"))
    words = label(tr(text), "hint")
    words.setAlignment(Qt.AlignmentFlag.AlignTop)
    words.setMinimumHeight(_STEP_LINES * words.fontMetrics().lineSpacing())
    layout.addWidget(words)
    layout.addStretch(1)
    return frame
