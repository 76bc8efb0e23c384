"""The settings page and `study.toml`."""

from app.pages.settings.page import SettingsPage
from app.ui.job import JobContext, JobPage, StationJob
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings, write_settings


class SettingsController(StationJob):
    """Writes what the page says and opens the study again with it; an open session ends."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(context)
        page = self.page = SettingsPage()
        self.pages = (JobPage("settings", page, "Study settings", "researcher"),)
        self._study: Study | None = None
        page.saved.connect(self._save)

    def open(self, study: Study) -> None:
        """Show the settings of this study; what was typed and not saved is gone."""
        self._study = study
        self.page.show_settings(study.settings)

    def _save(self, settings: StudySettings) -> None:
        study = self._study
        if study is None:
            return
        asks_again = settings.consent != study.settings.consent
        try:
            write_settings(study.folder / "study.toml", settings)
            self.context.reopen_study(study)
        except (OSError, StudyError) as error:
            self.context.show_error("The settings could not be saved", error)
            return
        settings = self._study.settings if self._study else settings
        again = " Every reader is asked to agree again." if asks_again else ""
        self.page.show_settings(settings, f"Saved; in force from the next session on.{again}")
