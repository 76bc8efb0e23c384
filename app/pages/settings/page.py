"""The study's settings: `study.toml` as a form; nothing is written before Save."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFormLayout, QWidget

from app.pages.settings.design_card import DesignCard
from app.pages.settings.fields import SECTIONS
from app.ui import theme
from app.ui.fields import Field
from app.ui.form import Form
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, scrolled
from app.ui.text import tr
from migrations.study.errors import SettingsError
from migrations.study.settings import StudySettings, check_design


class SettingsPage(Page):
    """Shows and takes the settings of a study.

    Signals
    -------
    saved : object
        The settings (`StudySettings`) to write.
    left_unsaved
        Another page is shown, and changes are unsaved.
    """

    saved = Signal(object)
    left_unsaved = Signal()

    def __init__(self) -> None:
        super().__init__("settings", tr("Study settings"))
        self._settings = StudySettings()
        self._form = Form("setting_")
        self.save = button("save_settings", tr("Save"), self._save, role="primary")
        self.undo = button(
            "undo_settings", tr("Undo changes"), lambda: self.show_settings(self._settings)
        )
        self.head.addWidget(self.undo)
        self.head.addWidget(self.save)
        inside = QWidget()
        layout = column(inside, gap=2 * theme.GRID)
        self.design = DesignCard()
        for heading, fields in SECTIONS.items():
            layout.addWidget(self._section(heading, fields))
            if heading == "The study":
                layout.addWidget(self.design)
        layout.addStretch(1)
        inside.setMaximumWidth(theme.WIDEST_FORM)
        self.body.addWidget(scrolled(inside), 1)
        self._form.changed.connect(self._changed)
        self.design.changed.connect(self._changed)
        self.show_settings(self._settings)

    @property
    def values(self) -> StudySettings:
        """What the form says now."""
        return replace(self._settings, **(self._form.values() | self.design.values))

    def show_settings(self, settings: StudySettings, said: str = "") -> None:
        """Show settings, and the result of the last ones."""
        self._settings = settings
        shown = asdict(settings)
        self._form.show({name: shown[name] for name in self._form.editors})
        self.design.show_design(settings.questions if settings.form else (), settings.arms)
        if said:
            self.say_state(said)

    def hideEvent(self, event: QHideEvent) -> None:
        """Report changes that are left behind; the window's own hiding leaves nothing."""
        super().hideEvent(event)
        if not event.spontaneous() and self.undo.isEnabled() and self.window().isVisible():
            self.left_unsaved.emit()

    def editor(self, name: str) -> QWidget:
        """Return the widget of a setting."""
        return self._form.editors[name]

    def _section(self, heading: str, fields: Sequence[Field]) -> QWidget:
        frame, layout = panel()
        layout.addWidget(label(tr(heading), "heading"))
        form = QFormLayout()
        form.setHorizontalSpacing(3 * theme.GRID)
        form.setVerticalSpacing(theme.GRID)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.add_rows(form, fields, "body")
        layout.addLayout(form)
        return frame

    def _changed(self) -> None:
        values = self.values
        changed = bool(self._form.changes()) or values != self._settings
        problem = self._form.problem() or self.design.problem or problem_of(values)
        for name in ("question", "classes"):  # those of a form are said in its first question
            self._form.editors[name].setEnabled(not values.form)
        self.save.setEnabled(changed and not problem)
        self.undo.setEnabled(changed)
        if problem:
            self.say_state(problem, "warning")
        else:
            self.say_state(tr("Unsaved changes.") if changed else tr("All changes saved."))

    def _save(self) -> None:
        self.saved.emit(self.values)


def problem_of(settings: StudySettings) -> str:
    """Return what prevents settings from being saved, in words; "" for nothing."""
    classes = settings.classes
    if not settings.name:
        return tr("The study needs a name.")
    if len(classes) < 2:
        return tr("The study needs at least two answers.")
    if len(classes) > 9:
        return tr("The study can have at most nine answers, one for each key 1 to 9.")
    if len(set(classes)) < len(classes):
        return tr("Two answers are the same.")
    if not settings.consent:
        return tr("The consent text is empty. Readers must know what they agree to.")
    try:
        check_design(settings)
    except SettingsError as error:
        return tr("Form: {problem}", problem=error)
    return ""
