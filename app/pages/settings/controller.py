"""The settings page and `study.toml`."""

from app.pages.settings.page import SettingsPage
from app.ui.dialogs import ChoiceDialog, MessageDialog
from app.ui.job import JobContext, JobPage, StationJob
from app.ui.text import tr
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings
from migrations.study.settings_change import change_settings


class SettingsController(StationJob):
    """Writes the page's settings and opens the study again with them; an open session ends."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = SettingsPage()
        self.pages = (JobPage("settings", page, tr("Study settings"), "researcher"),)
        self._study: Study | None = None
        page.saved.connect(self._save)
        page.left_unsaved.connect(self._say_unsaved)

    def open(self, study: Study) -> None:
        """Show the settings of this study; unsaved input is discarded."""
        self._study = study
        self.page.show_settings(study.settings)

    @property
    def unsaved(self) -> str:
        """Say that the form has changes that are not in `study.toml`."""
        if not self.page.undo.isEnabled():
            return ""
        return tr("Changes to the study settings are not saved. Closing now discards them.")

    def _say_unsaved(self) -> None:
        title = tr("The settings are not saved")
        text = tr(
            "Your changes do not apply yet. They stay on the settings page until you save or undo "
            "them there, or close Foveate."
        )
        window = self.page.window()
        if not self.context.window.in_workspace:  # the way back asks for the PIN
            MessageDialog(window, title, text).open()
            return
        ChoiceDialog(
            window, title, text,
            ("back_to_settings", tr("Back to the settings"), lambda: self.context.go("settings")),
            ("leave_settings", tr("Leave unsaved for now"), lambda: None),
        ).open()  # fmt: skip

    def _save(self, settings: StudySettings) -> None:
        study = self._study
        if study is None:
            return
        asks_again = settings.consent != study.settings.consent
        try:
            change_settings(study, settings)
            self.context.reopen_study(study)
        except (OSError, StudyError) as error:
            self.context.show_error(tr("The settings could not be saved"), error)
            return
        settings = self._study.settings if self._study else settings
        said = tr("Saved. Takes effect in the next session.")
        if asks_again:
            said = f"{said} {tr('Every reader must consent again.')}"
        self.page.show_settings(settings, said)
