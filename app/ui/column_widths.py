"""The widths of a table's columns: they share its width until the user drags one, and then stay.

Stored for each user and table in `columns.json` in the configuration folder.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHeaderView, QTableView

from migrations.study.this_computer import config_folder

log = logging.getLogger(__name__)
_WAIT_MS = 300
"""Time after the last step of a drag before the widths are written."""


class ColumnWidths(QObject):
    """Sets the widths of one table, identified by its object name.

    Parameters
    ----------
    shares
        How the width that the titles leave is shared, column by column; the last takes the rest.
    """

    def __init__(self, table: QTableView, shares: Sequence[int]) -> None:
        super().__init__(table)
        self._table, self._shares = table, tuple(shares)
        self._head = table.horizontalHeader()
        self._head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._head.setStretchLastSection(True)
        self._is_spreading = False
        self._kept = _kept(table.objectName(), len(self._shares))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_WAIT_MS)
        self._soon.timeout.connect(self._keep)
        self._head.sectionResized.connect(self._resized)
        self._head.sectionHandleDoubleClicked.connect(lambda _section: self._soon.start())
        table.viewport().installEventFilter(self)
        self.spread()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Share the width again when the table has another size, or is shown for the first time."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.spread()
        return False

    def spread(self) -> None:
        """Give every column its user's width, else its title's width and a share of the rest."""
        titles = [self._head.sectionSizeHint(k) for k in range(len(self._shares))]
        widths = self._kept or self._shared(titles)
        if [self._head.sectionSize(k) for k in range(len(widths) - 1)] == widths[:-1]:
            return
        self._is_spreading = True
        self._head.setStretchLastSection(False)  # else it would never become narrower
        for section, width in enumerate(widths):
            self._head.resizeSection(section, width)
        self._head.setStretchLastSection(True)
        self._is_spreading = False

    def _shared(self, titles: Sequence[int]) -> list[int]:
        room = max(0, self._table.viewport().width() - sum(titles))
        whole = sum(self._shares)
        return [
            title + room * share // whole for title, share in zip(titles, self._shares, strict=True)
        ]

    def _resized(self, section: int, _before: int, _after: int) -> None:
        is_last = section == len(self._shares) - 1  # it takes what the others leave
        is_dragged = QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton
        if is_dragged and not is_last and not self._is_spreading:
            self._soon.start()

    def _keep(self) -> None:
        self._kept = [self._head.sectionSize(k) for k in range(len(self._shares))]
        table = _read() | {self._table.objectName(): self._kept}
        try:
            _file().parent.mkdir(parents=True, exist_ok=True)
            _file().write_text(json.dumps(table), encoding="utf-8")
        except OSError:  # widths are not worth a message
            log.warning("The widths of the columns could not be written.", exc_info=True)


def _kept(name: str, count: int) -> list[int] | None:
    widths = _read().get(name)
    is_usable = (
        isinstance(widths, list)
        and len(widths) == count
        and all(isinstance(width, int) and width > 0 for width in widths)
    )
    return widths if is_usable else None


def _read() -> dict[str, Any]:
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _file() -> Path:
    return config_folder() / "columns.json"
