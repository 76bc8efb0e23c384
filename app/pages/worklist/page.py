"""The worklist: what there is to read, by whom, with which tracker; and how to add to it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QLabel,
    QProgressBar,
    QStackedWidget,
    QWidget,
)

from app.pages.worklist.columns import COLUMNS
from app.pages.worklist.empty import empty_worklist
from app.pages.worklist.finder import Finder
from app.pages.worklist.import_list import Remark
from app.pages.worklist.parts import cases_table, chooser
from app.pages.worklist.refused import RefusedList
from app.pages.worklist.thumbnails import Thumbnails
from app.recording.worklist import WorklistRow
from app.ui import theme
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row
from app.ui.table_model import TableModel
from app.ui.text import tr, trn
from devices.tracker import TrackerInfo

_NEW_READER = "\n"
"""Not a pseudonym: those are printable."""
_READER_PX, _TRACKER_PX = 320, 480


class WorklistPage(Page):
    """Cases with their states, the reader, the tracker, and the next step.

    Signals
    -------
    reader_chosen, device_chosen : str
        Pseudonym; id of a tracker.
    reader_wanted
        A new reader is to be entered.
    files_chosen : object
        Files and folders (list of `Path`) to import, dropped on the page.
    import_wanted, folder_wanted, archive_wanted, import_stopped, devices_wanted, calibrate_wanted,
    reading_wanted, clearing_wanted
        Buttons were pressed.
    """

    reader_chosen = Signal(str)
    reader_wanted = Signal()
    device_chosen = Signal(str)
    files_chosen = Signal(object)
    import_wanted = Signal()
    folder_wanted = Signal()
    archive_wanted = Signal()
    import_stopped = Signal()
    devices_wanted = Signal()
    calibrate_wanted = Signal()
    reading_wanted = Signal()
    clearing_wanted = Signal()

    def __init__(self) -> None:
        super().__init__("worklist", tr("Worklist"))
        self.setAcceptDrops(True)
        self.thumbnails = Thumbnails(self)
        first, *others = COLUMNS
        self.model = TableModel((replace(first, picture=self.thumbnails.of), *others))
        self.thumbnails.changed.connect(self.model.show_pictures)
        self.reader = chooser("reader", tr("Reader"), _READER_PX)
        self.device = chooser("device", tr("Tracker"), _TRACKER_PX)
        self.reader.activated.connect(self._reader_activated)
        self.device.activated.connect(lambda _i: self.device_chosen.emit(self.device.currentData()))
        self.import_files = button(
            "import", tr("Import files…"), self.import_wanted.emit, picture="import"
        )
        self.import_folder = button(
            "import_folder", tr("Import folder…"), self.folder_wanted.emit, picture="open"
        )
        self.from_archive = button(
            "import_archive", tr("From archive…"), self.archive_wanted.emit, picture="import",
            tip=tr("From the hospital's archive (DICOMweb)"),
        )  # fmt: skip
        self._imports = (self.import_files, self.import_folder, self.from_archive)
        self.calibrate = button(
            "calibrate", tr("Calibrate"), self.calibrate_wanted.emit, picture="calibration"
        )
        self.start = button(
            "start_reading", tr("Start reading"), self.reading_wanted.emit, role="primary",
            picture="play",
        )  # fmt: skip
        self.clear_images = button(
            "clear_images", tr("Clear images…"), self.clearing_wanted.emit, picture="check",
            tip=tr("Check images for burned-in names before a reader sees them"),
        )  # fmt: skip
        self.clear_images.hide()
        self.refused = RefusedList()
        self.finder = Finder()
        self.finder.changed.connect(self._find)
        self.table = cases_table(self.model)
        self.finder.columns.attach(
            self.table, lambda place: self.model.passing(self.finder.passes_but(place))
        )
        self._count = 0
        self._chosen = ""
        self._middle = QStackedWidget()
        self._middle.addWidget(empty_worklist())
        self._middle.addWidget(self._make_list())
        self._reading = label(tr("Reading the worklist…"), "lead", wrap=False)
        self._reading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._middle.addWidget(self._reading)
        self._fill()

    def show_rows(self, rows: Sequence[WorklistRow]) -> None:
        """Show the cases; an empty list says how to fill it."""
        self._count = len(rows)
        self.model.set_rows(rows)
        self._middle.setCurrentIndex(1 if rows else 0)
        self._say(rows)
        self.finder.say_found(self.model.rows, self._count)
        waiting = sum(row.to_clear for row in rows)
        said = trn("Clear {count} image…", "Clear {count} images…", waiting)
        self.clear_images.setText(f" {said}")
        self.clear_images.setVisible(waiting > 0)

    def show_loading(self) -> None:
        """Say that the cases are being read; what was shown before stays where there was any."""
        if not self.model.rows:
            self._middle.setCurrentIndex(2)
            self.say_state(tr("Reading the worklist…"))

    def show_readers(self, pseudonyms: Sequence[str], current: str | None) -> None:
        """Offer the readers of the study."""
        self.reader.clear()
        if current is None:
            self.reader.addItem(tr("Choose…"), "")
        for name in pseudonyms:
            self.reader.addItem(name, name)
        self.reader.addItem(tr("New reader…"), _NEW_READER)
        self._chosen = current or ""
        self.reader.setCurrentIndex(self.reader.findData(self._chosen))

    def show_devices(self, trackers: Sequence[TrackerInfo], current: str) -> None:
        """Offer the trackers that are attached; the chosen one stays, attached or not."""
        self.device.clear()
        for info in trackers:
            rate = f", {info.rate_hz:g} Hz" if info.rate_hz else ""
            self.device.addItem(f"{info.name}{rate}", info.id)
            self.device.setItemData(
                self.device.count() - 1, info.note or info.id, Qt.ItemDataRole.ToolTipRole
            )
        if not current:
            self.device.insertItem(0, tr("Choose a tracker…"), "")
        elif self.device.findData(current) < 0:
            self.device.addItem(f"⚠ {tr('{name}: not found', name=current)}", current)
        self.device.setCurrentIndex(self.device.findData(current))

    def show_missing(self, text: str) -> None:
        """Say why trackers that might be there are not offered."""
        self._missing.setText(text)
        self.why.setVisible(bool(text))
        self._missing.setVisible(bool(text) and self.why.isChecked())

    def show_ready(self, calibrate: bool, read: bool, why_not: str = "") -> None:
        """Say which next steps are possible."""
        why_not = tr(why_not) if why_not else ""
        self.calibrate.setEnabled(calibrate)
        self.start.setEnabled(read)
        for made in (self.calibrate, self.start):
            made.setToolTip("" if made.isEnabled() else why_not)
        self._hint.setText(why_not)

    def show_import(self, text: str, done: int, total: int) -> None:
        """Show how far an import is."""
        self._importing.show()
        self._progress.setMaximum(max(total, 1))
        self._progress.setValue(done)
        self._import_text.setText(text)
        for each in self._imports:
            each.setEnabled(False)

    def show_imported(
        self, text: str, refused: Sequence[tuple[str, str]], remarks: Sequence[Remark] = ()
    ) -> None:
        """Say what an import brought, what was refused and why, and all remarks behind a button."""
        self._importing.hide()
        for each in self._imports:
            each.setEnabled(True)
        self.refused.show_result(text, refused, remarks)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls() and self.import_files.isEnabled():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Import what was dropped."""
        paths = [Path(u.toLocalFile()) for u in event.mimeData().urls() if u.isLocalFile()]
        event.acceptProposedAction()
        if paths:
            self.files_chosen.emit(paths)

    def _reader_activated(self, _index: int) -> None:
        chosen = self.reader.currentData()
        if chosen == _NEW_READER:
            # Whoever turns back in the dialog is still who was chosen.
            self.reader.setCurrentIndex(self.reader.findData(self._chosen))
            self.reader_wanted.emit()
        elif chosen:
            self.reader_chosen.emit(chosen)

    def _say(self, rows: Sequence[WorklistRow]) -> None:
        if not rows:
            self.say_state(tr("No cases yet."))
            return
        read = sum(r.state in ("finished", "waiting", "again") for r in rows)
        again = sum(r.state == "again" for r in rows)
        left = len(rows) - read
        waiting = sum(r.to_clear > 0 for r in rows)
        parts = [tr("{count} read", count=f"{read:,}"), tr("{count} unread", count=f"{left:,}")]
        if not left:
            parts = [tr("all read")]
        if again:
            parts.append(tr("{count} to read again", count=f"{again:,}"))
        if waiting:
            parts.append(trn("{count} needs clearing", "{count} need clearing", waiting))
        total = trn("{count} case", "{count} cases", len(rows))
        self.say_state(f"{total}: {', '.join(parts)}.")

    def _fill(self) -> None:
        for made in (self.clear_images, *self._imports):
            self.head.addWidget(made)
        self.body.addWidget(self._make_choices())
        self._importing = self._make_import()
        self._importing.hide()
        self.body.addWidget(self._importing)
        self.body.addWidget(self.refused)
        self.body.addWidget(self._middle, 1)
        self._hint = label("", "hint")
        foot = row(self._hint)
        foot.setStretch(0, 1)
        foot.addWidget(self.calibrate)
        foot.addWidget(self.start)
        self.body.addLayout(foot)

    def _make_choices(self) -> QWidget:
        frame, layout = panel()
        look = button(
            "find_devices", "", self.devices_wanted.emit, role="quiet", picture="refresh",
            tip=tr("Search for trackers again"),
        )  # fmt: skip
        look.setAccessibleName(tr("Search for trackers again"))
        self._missing = label("", "small")
        self._missing.hide()
        self.why = button("why_missing", tr("Tracker not listed?"), role="quiet")
        self.why.setCheckable(True)
        self.why.toggled.connect(lambda shown: self._missing.setVisible(shown))
        self.why.hide()
        line = row(gap=theme.GRID)
        line.addWidget(label(tr("Reader"), "hint", wrap=False))
        line.addWidget(self.reader, 1)
        line.addSpacing(3 * theme.GRID)
        line.addWidget(label(tr("Tracker"), "hint", wrap=False))
        line.addWidget(self.device, 2)
        line.addWidget(look)
        line.addWidget(self.why)
        line.addStretch(0)
        layout.addLayout(line)
        layout.addWidget(self._missing)
        return frame

    def _make_import(self) -> QWidget:
        frame, layout = panel()
        self._import_text: QLabel = label("")
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        stop = button("stop_import", tr("Stop"), self.import_stopped.emit, picture="stop")
        line = row(self._import_text)
        line.setStretch(0, 1)
        line.addWidget(stop)
        layout.addLayout(line)
        layout.addWidget(self._progress)
        return frame

    def _find(self) -> None:
        self.model.mark_titles(self.finder.columns.chosen)
        self.model.set_filter(self.finder.passes)
        self.finder.say_found(self.model.rows, self._count)

    def _make_list(self) -> QWidget:
        made = QWidget()
        lines = column(made, gap=theme.GRID)
        lines.addWidget(self.finder)
        lines.addWidget(self.table, 1)
        return made
