"""Fills the page of the audit trail."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.pages.workspace.audit_page import AuditPage
from app.ui.background import run
from app.ui.text import tr
from app.workspace.audit import AuditRow, audit_trail, write_audit
from migrations.study.folder import Study


class AuditController(QObject):
    """Reads off the GUI thread."""

    def __init__(
        self,
        page: AuditPage,
        tell_error: Callable[[str, Exception | str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.page, self._tell_error = page, tell_error
        self._study: Study | None = None
        page.save_wanted.connect(self._save)

    def set_study(self, study: Study | None) -> None:
        """Show this study's audit."""
        self._study = study

    def refresh(self) -> None:
        """Read the rows again."""
        study = self._study
        if study is None:
            return

        def shown(rows: Sequence[AuditRow]) -> None:
            if study is self._study:
                self.page.show_rows(rows)

        run(
            self,
            lambda: audit_trail(study),
            shown,
            lambda e: self._tell_error(tr("The audit trail cannot be read"), e),
        )

    def _save(self, rows: Sequence[AuditRow], path: Path) -> None:
        run(
            self,
            lambda: write_audit(rows, path),
            lambda _done: self.page.say_state(tr("✓ Saved as {name}.", name=path.name)),
            lambda e: self._tell_error(tr("The table cannot be saved"), e),
        )
