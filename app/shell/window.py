"""The window: a slim navigation on the left, one page beside it; while reading, only the image."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QMoveEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QMainWindow,
    QStackedWidget,
    QToolButton,
    QWidget,
)

from app.shell.navigation_button import navigation_button
from app.ui import theme
from app.ui.icons import icon, pixmap
from app.ui.job import JobPage
from app.ui.small_widgets import button, column, label, row, rule, scrolled
from app.ui.text import tr

DEFAULT_SIZE = QSize(1280, 800)
_MINIMUM_SIZE = QSize(960, 640)
_ALONE = ("start", "new_study")
"""Pages without a study: there is nothing to navigate to."""


class MainWindow(QMainWindow):
    """Holds the pages and the navigation; knows nothing about a study.

    Signals
    -------
    page_wanted : str
        The user chose a page.
    placed
        The window was moved or is on another screen.
    closing
        The window is about to close.
    workspace_wanted : bool
        The researcher's workspace should be opened, or left.
    end_wanted
        The open session should be ended.
    new_study_wanted
        A new study should be made, beside the open one.

    Attributes
    ----------
    may_close
        Called before it closes; if it returns False, the window stays open.
    """

    page_wanted = Signal(str)
    placed = Signal()
    closing = Signal()
    workspace_wanted = Signal(bool)
    end_wanted = Signal()
    new_study_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Foveate")
        self.setWindowIcon(icon("reading", theme.ACCENT, 48))
        room = self.screen().availableSize()
        self.resize(DEFAULT_SIZE.boundedTo(room))
        self.setMinimumSize(_MINIMUM_SIZE.boundedTo(room))
        self.may_close: Callable[[], bool] = lambda: True
        self._pages: dict[str, QWidget] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self._entries = column(gap=0)
        self._researchers: list[str] = []
        self._in_workspace = False
        self._stack = QStackedWidget()
        opening = label(tr("Opening…"), "lead", wrap=False)
        opening.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(opening)
        self._study = label("", "heading")
        self._who = label("", "small")
        self._device = label("", "small")
        self._badge = label("", "badge", wrap=False)
        self._badge.hide()
        self._recording = self._make_recording()
        self.end_session = button("end_session", tr("End session"), self.end_wanted.emit)
        self.end_session.hide()
        self._trouble = label("", "warning")
        self._trouble.setFont(theme.font("small"))
        self._trouble.hide()
        self._new_study = navigation_button("new_study_beside", "new", tr("New study…"))
        self._new_study.clicked.connect(lambda _checked=False: self.new_study_wanted.emit())
        self._navigation = self._make_navigation()
        self._navigation.hide()
        middle = QWidget()
        middle.setLayout(row(self._navigation, self._stack, gap=0))
        self.setCentralWidget(middle)
        self._normal: Qt.WindowState | None = None

    @property
    def current(self) -> str:
        """Name of the page that is shown."""
        shown = self._stack.currentWidget()
        return next((n for n, page in self._pages.items() if page is shown), "")

    @property
    def first_researchers_page(self) -> str:
        """Name of the first page in the researcher's part of the navigation."""
        return self._researchers[0]

    @property
    def bare(self) -> bool:
        """Whether the navigation is hidden and the page owns the window."""
        return not self._navigation.isVisibleTo(self)

    def add_pages(self, pages: Iterable[JobPage]) -> None:
        """Take pages in, and offer them in the navigation."""
        for page in pages:
            self._pages[page.name] = page.widget
            self._stack.addWidget(page.widget)
            if page.part != "none":
                self._add_entry(page)
        self._order_tabs()
        self.open_workspace(self._in_workspace)

    def show_page(self, name: str) -> None:
        """Show a page.

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        self._stack.setCurrentWidget(self._pages[name])
        self._navigation.setVisible(name not in _ALONE and not self._stack.property("bare"))
        if name in self._buttons:
            self._buttons[name].setChecked(True)

    def set_bare(self, bare: bool, *, full_screen: bool = False) -> None:
        """Give the page the whole window (and the screen), or take it back."""
        self._stack.setProperty("bare", bare)
        self._navigation.setVisible(not bare and self.current not in _ALONE)
        if bare and full_screen and not self.isFullScreen():
            self._normal = self.windowState()
            self.showFullScreen()
        elif not bare and self._normal is not None:
            self.setWindowState(self._normal)
            self._normal = None

    def enable(self, name: str, possible: bool, why_not: str = "") -> None:
        """Say whether a page can be opened now, and if not, why."""
        self._buttons[name].setEnabled(possible)
        self._buttons[name].setToolTip("" if possible else why_not)

    @property
    def in_workspace(self) -> bool:
        """Whether the researcher's pages are offered instead of the reader's."""
        return self._in_workspace

    def open_workspace(self, opened: bool) -> None:
        """Offer the researcher's pages, or the reader's again."""
        self._in_workspace = opened
        for name, made in self._buttons.items():
            made.setVisible((name in self._researchers) == opened)
        self._door.setText(f"  {tr('Back to reading') if opened else tr('Researcher…')}")

    def show_study(self, name: str) -> None:
        """Name the open study."""
        self._study.setText(name)
        self.setWindowTitle(f"{name} – Foveate" if name else "Foveate")

    def show_reader(self, text: str) -> None:
        """Say who reads."""
        self._who.setText(text)

    def show_device(self, text: str, *, stand_in: str = "") -> None:
        """Name the tracker; if it is not an eye tracker, say whose gaze it gives."""
        self._device.setText(text)
        self._badge.setText(stand_in)
        self._badge.setVisible(bool(stand_in))
        self.show_trouble("")

    def show_session(self, state: str) -> None:
        """Show the state of an open session: "recording", "paused", "open", or "" for none."""
        words = {
            "recording": tr("Recording gaze"),
            "paused": tr("Paused"),
            "open": tr("Session open: raw tracker data is stored until you end it."),
        }
        self._dot.setVisible(state == "recording")
        self._recorded.setText(words.get(state, ""))
        self._recording.setVisible(bool(state))
        self.end_session.setVisible(bool(state))
        self._new_study.setEnabled(not state)
        self._new_study.setToolTip(tr("End the session first.") if state else "")

    def show_trouble(self, text: str, detail: str = "") -> None:
        """Say what is wrong with the recording; empty for nothing."""
        self._trouble.setText(f"⚠ {text}" if text else "")
        self._trouble.setToolTip(detail)
        self._trouble.setVisible(bool(text))

    def moveEvent(self, event: QMoveEvent) -> None:
        """Report that what is on the screen has moved."""
        super().moveEvent(event)
        self.placed.emit()

    def changeEvent(self, event: QEvent) -> None:
        """Report a changed state, such as full screen."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:
            self.placed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let the station end what is running, or stay open until it may close."""
        if not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

    def _make_navigation(self) -> QFrame:
        frame = QFrame()
        frame.setProperty("role", "navigation")
        frame.setFixedWidth(208)
        layout = column(frame, gap=0)
        head = column(gap=theme.GRID // 2)
        head.setContentsMargins(16, 24, 16, 24)
        head.addWidget(label("Foveate", "small"))
        head.addWidget(self._study)
        layout.addLayout(head)
        entries = QWidget()
        self._entries.addStretch(1)
        entries.setLayout(self._entries)
        layout.addWidget(scrolled(entries), 1)
        layout.addWidget(self._new_study)
        self._door = self._make_door()
        layout.addWidget(self._door)
        foot = column(gap=theme.GRID)
        foot.setContentsMargins(16, 16, 16, 16)
        research = label(tr("For research, not for diagnosis."), "small")
        for widget in (self._who, self._device, self._badge, self._recording, self._trouble,
                       self.end_session, rule(), research):  # fmt: skip
            foot.addWidget(widget)
        layout.addLayout(foot)
        return frame

    def _make_door(self) -> QToolButton:
        made = navigation_button("workspace_door", "lock")
        made.clicked.connect(
            lambda _checked=False: self.workspace_wanted.emit(not self._in_workspace)
        )
        return made

    def _make_recording(self) -> QWidget:
        self._dot = label("", wrap=False)
        self._dot.setPixmap(pixmap("dot", theme.RED, 14))
        self._recorded = label("", "small")
        frame = QWidget()
        line = row(self._dot, self._recorded, gap=4)
        line.setStretch(1, 1)
        frame.setLayout(line)
        frame.hide()
        return frame

    def _add_entry(self, page: JobPage) -> None:
        name, before = page.name, self._buttons.get(page.after)
        made = navigation_button(f"go_{name}", page.icon or name, page.title)
        made.setCheckable(True)
        made.clicked.connect(lambda _checked=False: self._wanted(name))
        self._group.addButton(made)
        self._buttons[name] = made
        if page.part == "researcher":
            self._researchers.append(name)
            made.setProperty("dense", True)  # they are many: all fit the height of a small screen
        place = self._entries.count() - 1 if before is None else self._entries.indexOf(before) + 1
        self._entries.insertWidget(place, made)

    def _order_tabs(self) -> None:
        """Make Tab go down the navigation before it enters the page."""
        entries = sorted(self._buttons.values(), key=self._entries.indexOf)
        ring = [self._door, *entries, self._new_study, self._door] if entries else []
        for before, after in pairwise(ring):
            QWidget.setTabOrder(before, after)

    def _wanted(self, name: str) -> None:
        # The page changes once the station agrees; until then the old one stays selected.
        if self.current in self._buttons:
            self._buttons[self.current].setChecked(True)
        self.page_wanted.emit(name)
