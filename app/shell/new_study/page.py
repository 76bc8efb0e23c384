"""A new study, a step at a time; Back works, and nothing is made before the last button."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.pages.settings.design_card import DesignCard
from app.pages.settings.page import problem_of
from app.shell.new_study.image_list import ImageList
from app.shell.new_study.plan import NewStudy, folder_problem, suggested_folder
from app.shell.new_study.steps import Step, steps
from app.ui import theme
from app.ui.form import Form
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row, scrolled, set_role
from app.ui.text import tr, trn
from devices.tracker import TrackerInfo
from migrations.study.settings import StudySettings

_STEPS_WIDTH = 208
_WIDEST = 1080


class NewStudyPage(Page):
    """Asks what the study should be; everything can be changed later on the settings page.

    Enter (in a text Ctrl+Enter) continues, Esc goes back.

    Signals
    -------
    made : object
        The study to create (`NewStudy`).
    cancelled
        Back to the start page; the input is kept until a study is made.
    """

    made = Signal(object)
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__("new_study", tr("New study"))
        self.steps, self.step = steps(), 0
        self._form = Form("new_")
        self.design = DesignCard()
        self.images = ImageList()
        self.folder = QLineEdit()
        self.folder.setObjectName("new_folder")
        self.folder.setAccessibleName(tr("Folder of the study"))
        self.tracker = QComboBox()
        self.tracker.setObjectName("new_tracker")
        self.tracker.setAccessibleName(tr("Tracker"))
        self._summary = label("")
        self._first: list[QWidget] = []
        self._titles = [label("", "hint", wrap=False) for _ in self.steps]
        self._stack = QStackedWidget()
        self._back = button("new_back", tr("Back"), self.go_back)
        self._next = button("new_next", tr("Next"), self.go_on, role="primary")
        self._cancel = button("new_cancel", tr("Cancel"), self.cancelled.emit)
        self._fill()
        self._follows_name = True
        self._form.changed.connect(self._changed)
        self.design.changed.connect(self._changed)
        self.folder.textChanged.connect(self._changed)
        self.folder.textEdited.connect(lambda _text: self._folder_typed())
        self.clear()

    @property
    def plan(self) -> NewStudy:
        """What would be created now."""
        settings = replace(StudySettings(), **(self._form.values() | self.design.values))
        folder = Path(self.folder.text().strip()).expanduser()
        device = self.tracker.currentData() or ""
        return NewStudy(folder, settings, self.images.paths, device)

    def clear(self) -> None:
        """Begin with an empty name and the defaults of a study."""
        defaults = asdict(StudySettings()) | {"name": ""}
        self._follows_name = True
        self._form.show({name: defaults[name] for name in self._form.editors})
        self.design.show_design((), ())
        self.images.clear()
        self.show_step(0)

    def show_step(self, number: int) -> None:
        """Show a step, the keyboard in its first field."""
        self.step = number
        self._stack.setCurrentIndex(number)
        self._changed()
        self._first[number].setFocus()

    def show_trackers(self, trackers: Sequence[TrackerInfo]) -> None:
        """Offer the trackers that were found; the choice is kept."""
        chosen = self.tracker.currentData()
        self.tracker.clear()
        self.tracker.addItem(tr("Choose later on the Worklist page"), "")
        for info in trackers:
            self.tracker.addItem(info.model, info.id)
        self.tracker.setCurrentIndex(max(0, self.tracker.findData(chosen)))

    def go_on(self) -> None:
        """Go to the next step, or make the study after the last one."""
        if self._problem():
            return
        if self.step == len(self.steps) - 1:
            self.made.emit(self.plan)
        else:
            self.show_step(self.step + 1)

    def go_back(self) -> None:
        """Go to the previous step, from the first one to the start page."""
        if self.step:
            self.show_step(self.step - 1)
        else:
            self.cancelled.emit()

    def say_refused(self, text: str) -> None:
        """Say why the study could not be made; the input is kept."""
        self.say_state(text, "error")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Continue or go back by key; the fields have already had the key."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.go_on()
        elif event.key() == Qt.Key.Key_Escape:
            self.go_back()
        else:
            super().keyPressEvent(event)

    def _problem(self) -> str:
        plan, said = self.plan, self._form.problem() or self.design.problem
        named = plan.settings.name and folder_problem(self.folder.text().strip())
        return said or problem_of(plan.settings) or str(named)

    def _changed(self) -> None:
        name = self._form.values()["name"]
        if self._follows_name:
            self.folder.setText(str(suggested_folder(name)) if name else "")
        problem, last = self._problem(), self.step == len(self.steps) - 1
        place = tr("Step {number} of {count}.", number=self.step + 1, count=len(self.steps))
        self.say_state(problem or place, "warning" if problem and name else "lead")
        self._next.setEnabled(not problem)
        self._next.setText(tr("Create the study") if last else tr("Next"))
        self._next.setAccessibleName(self._next.text())
        for field in ("question", "classes"):  # those of a form are said in its first question
            self._form.editors[field].setEnabled(not self.design.values["form"])
        for number, title in enumerate(self._titles):
            sign = "▸" if number == self.step else "✓" if number < self.step else "   "
            title.setText(f"{sign}  {self.steps[number].title}")
            set_role(title, "body" if number == self.step else "hint")
        if last:
            self._summary.setText(self._summed_up())

    def _summed_up(self) -> str:
        plan = self.plan
        settings, count = plan.settings, len(plan.images)
        questions, arms = len(settings.questions), max(1, len(settings.arms))
        lines = [
            tr("The study “{name}” will be created in {folder}.",
               name=settings.name, folder=plan.folder),
            trn("It asks one question.", "It asks {count} questions.", questions),
            trn("All cases are read under the same conditions.",
                "Cases are read in {count} arms.", arms),
            tr("No images will be imported yet.") if not count else
            trn("One file or folder will be imported.",
                "{count} files or folders will be imported.", count),
            tr("You can change all of this later on the Study settings page."),
        ]  # fmt: skip
        return "\n".join(lines)

    def _folder_typed(self) -> None:
        self._follows_name = False

    def _choose_folder(self) -> None:
        parent = QFileDialog.getExistingDirectory(
            self, tr("Choose where to create the study folder")
        )
        if parent:
            self._follows_name = False
            name = suggested_folder(self._form.values()["name"]).name
            self.folder.setText(str(Path(parent) / name))

    def _choose_backup(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Backup folder"))
        if name:
            self._form.set_value("backup_folder", name)

    def _fill(self) -> None:
        self.show_trackers(())
        beside, frame = panel()
        for title in self._titles:
            frame.addWidget(title)
        frame.addStretch(1)
        beside.setMinimumWidth(_STEPS_WIDTH)
        beside.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        for step in self.steps:
            self._stack.addWidget(self._step(step))
        middle = row(beside, self._stack, gap=3 * theme.GRID)
        middle.setStretch(1, 1)
        self.body.addLayout(middle, 1)
        foot = row(self._cancel)
        foot.addStretch(1)
        foot.addWidget(self._back)
        foot.addWidget(self._next)
        self.body.addLayout(foot)

    def _step(self, step: Step) -> QScrollArea:
        inside = QWidget()
        inside.setMaximumWidth(_WIDEST)
        layout = column(inside, gap=2 * theme.GRID)
        layout.addWidget(label(step.title, "heading"))
        layout.addWidget(label(step.hint, "hint"))
        rows = QFormLayout()
        rows.setHorizontalSpacing(3 * theme.GRID)
        rows.setVerticalSpacing(theme.GRID)
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        if step.name == "tracker":
            rows.addRow(_title(tr("Tracker")), self.tracker)
        self._form.add_rows(rows, step.fields, "body")
        first = self.tracker if step.name == "tracker" else self._form.editors[step.fields[0].name]
        if step.name == "name":
            choose = button("new_choose_folder", tr("Choose…"), self._choose_folder)
            line = row(self.folder, choose)
            line.setStretch(0, 1)
            rows.addRow(_title(tr("Folder")), line)
        elif step.name == "images":
            layout.addWidget(self.images)
            first = self.images.line
        layout.addLayout(rows)
        self._add_below(step, layout)
        layout.addStretch(1)
        self._first.append(first)
        area = scrolled(inside)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _add_below(self, step: Step, layout: QVBoxLayout) -> None:
        if step.name == "form":
            layout.addWidget(self.design)
        elif step.name == "backups":
            choose = button("new_choose_backup", tr("Choose a folder…"), self._choose_backup)
            layout.addLayout(row(choose, stretch=True))
            layout.addWidget(label(tr("What will be created"), "heading"))
            layout.addWidget(self._summary)


def _title(text: str) -> QLabel:
    return label(text, wrap=False)
