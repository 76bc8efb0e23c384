"""A page that sets up a command, runs it and shows the results: Analysis, and Performance."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLineEdit,
    QWidget,
)

from app.pages.analysis.fields import FILES, TABLE, problem_of_truth, words_of
from app.pages.analysis.results_view import ResultsView
from app.ui import theme
from app.ui.fields import Field
from app.ui.form import Form
from app.ui.nothing_yet import NothingOr, nothing_yet
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row, scrolled
from app.ui.text import tr, trn
from app.ui.work_bar import WorkBar
from app.workspace.results import ResultFigure

_FORM_PX, _LIST_PX, _CHOICE_SIGNS = 280, 420, 12


class AnswerPage(Page):
    """Sets up, runs and shows one of the commands.

    Parameters
    ----------
    name, title
        Of the page.
    verb
        Of the button that runs the command.
    nothing
        What to do if there are no results yet.

    Signals
    -------
    run_wanted : object
        The options of the command.
    replay_wanted : str
        A reading, by its name, should be replayed.
    """

    run_wanted = Signal(object)
    replay_wanted = Signal(str)

    def __init__(self, name: str, title: str, verb: str, nothing: str) -> None:
        super().__init__(name, title)
        self._nothing, self._folder = nothing, Path()
        self._offered, self._tabled = "", QWidget(self)
        self._follow: Callable[[], None] | None = None
        self.open_folder = button(f"open_{name}", tr("Open folder"), self._open, picture="open")
        self.run = button(f"run_{name}", verb, self._run, role="primary", picture="play")
        for made in (self.open_folder, self.run):
            self.head.addWidget(made)
        self.form = Form(f"{name}_")
        self._rows = QFormLayout()
        self._rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        self._rows.setVerticalSpacing(theme.GRID // 2)
        self.form.changed.connect(self._enable)
        self.results = ResultsView(name)
        self.results.replay_wanted.connect(self.replay_wanted)
        self.work = WorkBar(f"{name}_work")
        content = row(gap=2 * theme.GRID)
        content.addWidget(self._make_form())
        right = column(gap=theme.GRID)
        right.addWidget(self.work)
        self._shown = NothingOr(
            nothing_yet(
                name,
                tr("No results yet"),
                tr("Figures, the tables behind them and notes appear here."),
            ),
            self.results,
        )
        right.addWidget(self._shown, 1)
        content.addLayout(right, 1)
        self.body.addLayout(content, 1)
        self.open_folder.setEnabled(False)
        self.say_state(nothing)
        self.show_running(False)

    def show_fields(self, fields: Sequence[Field]) -> None:
        """Offer other settings; the earlier input is discarded."""
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.form.clear()
        for field in fields:
            text, widget = self.form.add(field)
            if isinstance(widget, QComboBox):
                _keep_narrow(widget)
            self._rows.addRow(text, self._with_button(field, widget))
            if field.hint:
                self._rows.addRow(_hint(field.hint))
        self._enable()

    def offer_by(
        self, leading: str, name: str, offers: Mapping[str, Sequence[tuple[str, str]]]
    ) -> None:
        """Make a choice depend on the value of another one, now and after each change."""
        self._offered = ""

        def follow() -> None:
            chosen = str(self.form.values().get(leading) or "")
            if chosen != self._offered and name in self.form.editors:
                self._offered = chosen
                self.form.offer(name, offers.get(chosen, ()))

        if self._follow is not None:
            self.form.changed.disconnect(self._follow)
        self._follow = follow
        self.form.changed.connect(follow)
        follow()

    def show_results(
        self, folder: Path, figures: Sequence[ResultFigure], notes: Sequence[str]
    ) -> None:
        """Show the results in a folder."""
        self._folder = folder
        self.results.show_results(folder, figures, notes)
        self._shown.show_content(bool(figures))
        self.open_folder.setEnabled(bool(figures))
        if figures:
            said = trn("{count} figure.", "{count} figures.", len(figures))
            hint = tr("Click a point in a figure to replay its reading or list what is behind it.")
            has_places = any(figure.places for figure in figures)
            self.say_state(f"{said} {hint}" if has_places else said)
        else:
            self.say_state(self._nothing)

    def show_running(self, running: bool) -> None:
        """Show that the command is running, or has ended."""
        self.run.setEnabled(not running)
        if running:
            self.work.begin("")
        else:
            self.work.end()

    def _run(self) -> None:
        problem = self.form.problem() or problem_of_truth(self.form.values())
        if problem:
            self.say_state(problem, "warning")
        else:
            self.run_wanted.emit(words_of(self.form.values()))

    def _enable(self) -> None:
        """Allow a table of the truth to be chosen if one is needed."""
        if "truth-from" in self.form.editors:
            self._tabled.setEnabled(self.form.values()["truth-from"] == TABLE)

    def _open(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    def _with_button(self, field: Field, widget: QWidget) -> QWidget:
        if field.name not in FILES or not isinstance(widget, QLineEdit):
            return widget
        widget.setPlaceholderText(tr("none"))
        choose = button(f"choose_{field.name}", tr("Choose…"), lambda: self._choose(field, widget))
        made = QWidget()
        made.setLayout(row(widget, choose, gap=theme.GRID // 2))
        if field.name == "truth":
            self._tabled = made
        return made

    def _choose(self, field: Field, line: QLineEdit) -> None:
        path, _ = QFileDialog.getOpenFileName(self, field.label, line.text(), tr("Tables (*.csv)"))
        if path:
            line.setText(path)

    def _make_form(self) -> QWidget:
        frame, layout = panel()
        inside = QWidget()
        inside.setLayout(self._rows)
        layout.addWidget(scrolled(inside))
        frame.setFixedWidth(_FORM_PX)
        return frame


def _keep_narrow(combo: QComboBox) -> None:
    """Let a choice be as narrow as the form, however long its words; its list shows them whole."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(_CHOICE_SIGNS)
    combo.setMinimumWidth(0)
    combo.view().setMinimumWidth(_LIST_PX)


def _hint(words: str) -> QWidget:
    """Return a hint that is closer to its own field than to the next one."""
    made = label(words, "small")
    made.setContentsMargins(0, 0, 0, theme.GRID)
    return made
