"""The settings page and `study.toml`."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.pages.settings.page import SettingsPage
from migrations.study.errors import StudyError
from migrations.study.folder import Study
from migrations.study.settings import StudySettings, write_settings


class SettingsController(QObject):
    """Writes what the page says and opens the study anew with it.

    Parameters
    ----------
    reopen
        Opens the study's folder again; an open session ends.
    """

    def __init__(
        self,
        page: SettingsPage,
        reopen: Callable[[Study], object],
        tell_error: Callable[[str, Exception | str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._page, self._reopen, self._tell_error = page, reopen, tell_error
        self._study: Study | None = None
        page.saved.connect(self._save)

    def set_study(self, study: Study) -> None:
        """Show the settings of this study."""
        self._study = study
        self._page.show_settings(study.settings)

    def _save(self, settings: StudySettings) -> None:
        study = self._study
        if study is None:
            return
        asks_again = settings.consent != study.settings.consent
        try:
            write_settings(study.folder / "study.toml", settings)
            self._reopen(study)
        except (OSError, StudyError) as error:
            self._tell_error("The settings could not be saved", error)
            return
        settings = self._study.settings if self._study else settings
        again = " Every reader is asked to agree again." if asks_again else ""
        self._page.show_settings(settings, f"Saved; in force from the next session on.{again}")
