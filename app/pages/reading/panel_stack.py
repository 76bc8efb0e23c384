"""The panels of the reading page, at most one of which is shown, in the middle."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.pages.reading.panels import CodePanel, KeysPanel, ReadingPanel
from app.ui.announce import announce
from app.ui.keys import KeyMap
from app.ui.small_widgets import button
from app.ui.text import tr


class PanelStack(QObject):
    """Makes the panels and shows one after another.

    Attributes
    ----------
    paused, complete, between, code, help
        Why the reading is paused; everything is read; a break or feedback; the reader's code; the
        keys.

    Signals
    -------
    resumed, left
        The reading continues, or the reader wants to leave.
    end_wanted
        The session should be ended: nothing is recorded any more.
    back_wanted
        Back to the worklist.
    correct_wanted
        The last answer should be corrected.
    went_on
        The reader continues after a break or feedback.
    code_given : str
        What was typed.
    """

    resumed = Signal()
    left = Signal()
    end_wanted = Signal()
    back_wanted = Signal()
    correct_wanted = Signal()
    went_on = Signal()
    code_given = Signal(str)

    def __init__(self, page: QWidget, keys: KeyMap) -> None:
        super().__init__(page)
        self._page = page
        self.paused = ReadingPanel(page, tr("Paused"), {
            "resume": button("resume_reading", tr("Resume"), self.resumed.emit, role="primary"),
            "leave": button("leave_reading", tr("Leave"), self.left.emit),
            "end": button("end_reading", tr("End session"), self.end_wanted.emit),
        })  # fmt: skip
        self.complete = ReadingPanel(page, tr("Thank you"), {
            "back": button("back_to_worklist", tr("Back to the worklist"), self.back_wanted.emit,
                           role="primary"),
            "correct": button("correct_last", tr("Correct the last answer"),
                              self.correct_wanted.emit),
        })  # fmt: skip
        self.between = ReadingPanel(page, "", {
            "go_on": button("go_on", tr("Continue"), self.went_on.emit, role="primary"),
            "leave": button("leave_between", tr("Leave"), self.left.emit),
            "end": button("end_between", tr("End session"), self.end_wanted.emit),
        })  # fmt: skip
        self.code = CodePanel(page, self.left.emit)
        self.code.given.connect(self.code_given)
        self.help: ReadingPanel = KeysPanel(page, keys, self.resumed.emit)

    @property
    def up(self) -> ReadingPanel | None:
        """The panel that is shown, if any."""
        return next((panel for panel in self._all() if panel.isVisibleTo(self._page)), None)

    def use_keys(self, keys: KeyMap) -> None:
        """Show other keys from now on."""
        self.help.deleteLater()
        self.help = KeysPanel(self._page, keys, self.resumed.emit)

    def show(self, panel: ReadingPanel) -> None:
        """Show one instead of any other."""
        self.hide()
        panel.show()
        panel.fit()
        self._center(panel)
        panel.raise_()
        panel.first.setFocus()
        announce(panel, panel.words)

    def hide(self) -> None:
        """Hide the one that is shown."""
        for panel in self._all():
            panel.hide()

    def center(self) -> None:
        """Keep the shown one in the middle of the page."""
        for panel in self._all():
            self._center(panel)

    def _center(self, panel: ReadingPanel) -> None:
        free_x = self._page.width() - panel.width()
        free_y = self._page.height() - panel.height()
        panel.move(free_x // 2, free_y // 2)

    def _all(self) -> list[ReadingPanel]:
        return [self.paused, self.complete, self.between, self.code, self.help]
