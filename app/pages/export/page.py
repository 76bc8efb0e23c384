"""Export: choose a format and a destination, press Export, follow the progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QRadioButton,
    QWidget,
)

from app.interchange.exports.dataset.terms import LICENCES
from app.ui import theme
from app.ui.page import Page
from app.ui.small_widgets import button, column, label, panel, row, scrolled
from app.ui.text import tr
from app.ui.work_bar import WorkBar
from app.workspace.export_formats import FORMATS, MEASURES, ExportFormat
from app.workspace.measures import measure_words
from app.workspace.runs import RunRow

_INDENT = 3 * theme.GRID


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices besides format and destination.

    Attributes
    ----------
    run
        Folder of the run; "" for the newest.
    measure
        Empty for the study's newest.
    licence
        SPDX identifier of a data set that is published.
    with_images
        Whether its pictures are included.
    """

    run: str
    measure: str
    licence: str
    with_images: bool


class ExportPage(Page):
    """Asks for a format and a destination.

    Attributes
    ----------
    work
        How far the export is, with Stop.
    formats
        The radio button of each format, by name.

    Signals
    -------
    export_wanted : object, object, object
        The format, the destination, and the other choices (`Choices`).
    """

    export_wanted = Signal(object, object, object)

    def __init__(self) -> None:
        super().__init__("export", tr("Export"))
        self._folder = Path()
        self._running = False
        self.written: Path | None = None
        self.start = button("export_start", tr("Export"), self._start, role="primary")
        self.show_in_folder = button("export_open", tr("Open folder"), self._open, picture="open")
        self.head.addWidget(self.show_in_folder)
        self.head.addWidget(self.start)
        self.work = WorkBar("export_work")
        self.body.addWidget(self.work)
        self.run, self.measure = QComboBox(), QComboBox()
        self.run.setObjectName("export_run")
        self.run.setAccessibleName(tr("Run"))
        self.measure.setObjectName("export_measure")
        self.measure.setAccessibleName(tr("Similarity"))
        for name in MEASURES:
            words = measure_words(name) if name else "The newest of the study, or TIMA"
            self.measure.addItem(tr(words), name)
        self.licence = QComboBox()
        self.licence.setObjectName("export_licence")
        self.licence.setAccessibleName(tr("Licence"))
        self.licence.addItem(tr("Choose…"), "")
        for name in LICENCES:
            self.licence.addItem(name, name)
        self.licence.currentIndexChanged.connect(lambda _i: self._allow())
        self.with_images = QCheckBox(tr("Include the images"))
        self.with_images.setObjectName("export_with_images")
        self.place = QLineEdit()
        self.place.setObjectName("export_place")
        self.place.setAccessibleName(tr("Where to"))
        self._group = QButtonGroup(self)
        self.formats = {one.name: QRadioButton(tr(one.title)) for one in FORMATS}
        self._arrange()
        self.formats[FORMATS[0].name].setChecked(True)
        self._group.buttonClicked.connect(lambda _button: self._chosen())
        self.show_study(Path(), ())

    @property
    def chosen(self) -> ExportFormat:
        """The format that is marked."""
        return next(one for one in FORMATS if self.formats[one.name].isChecked())

    def show_study(self, exports: Path, runs: Sequence[RunRow]) -> None:
        """Offer a study's runs; exports go into this folder unless another is chosen."""
        self._folder = exports
        kept = self.run.currentData()
        self.run.clear()
        for run in runs:
            if run.encoder is not None:
                self.run.addItem(run.title, run.folder.name)
        self.run.setCurrentIndex(max(0, self.run.findData(kept)))
        if not self._running:
            self.say_state(tr("Every format names readers by pseudonym. Only the whole study "
                              "contains notes, station names and dates."))  # fmt: skip
        self._chosen()

    def show_running(self, running: bool) -> None:
        """Show that an export is running, or has ended."""
        self._running = running
        if running:
            self.written = None
            self.say_state("")
            self.work.begin(tr("Exporting…"))
        else:
            self.work.end()
        self._allow()

    def show_written(self, out: Path, words: str) -> None:
        """Report what was written."""
        self.written = out
        self.show_running(False)
        self.say_state(f"✓ {words}")
        self.place.setText(str(self._free_place()))

    def _chosen(self) -> None:
        self.place.setText(str(self._free_place()))
        self._allow()

    def _free_place(self) -> Path:
        """Return a folder that does not exist yet: an export never mixes with another."""
        name, number = self.chosen.name, 2
        place = self._folder / name
        while place.exists() and not self.chosen.is_file:
            place, number = self._folder / f"{name}-{number}", number + 1
        return place

    def _allow(self) -> None:
        one = self.chosen
        self.run.setEnabled(one.of_encoder)
        self.measure.setEnabled(one.of_measure)
        self.licence.setEnabled(one.is_published)
        self.with_images.setEnabled(one.is_published)
        why_not = ""
        if one.of_encoder and not self.run.count():
            why_not = tr("No encoder yet. Press Pretrain first.")
        elif one.is_published and not self.licence.currentData():
            why_not = tr("Choose a licence. Only the owner of the data can.")
        # Without a study there is no folder: a relative one would be that of the program's start.
        is_known = self._folder != Path()
        self.start.setEnabled(is_known and not self._running and not why_not)
        self.start.setToolTip(why_not)
        self.show_in_folder.setVisible(self.written is not None)

    def _start(self) -> None:
        out = Path(self.place.text().strip() or self._free_place())
        choices = Choices(
            self.run.currentData() or "",
            self.measure.currentData() or "",
            self.licence.currentData() or "",
            self.with_images.isChecked(),
        )
        self.export_wanted.emit(self.chosen, out, choices)

    def _open(self) -> None:
        if self.written is not None:
            place = self.written if self.written.is_dir() else self.written.parent
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))

    def _ask(self) -> None:
        if found := QFileDialog.getExistingDirectory(self, tr("Export into"), str(self._folder)):
            self.place.setText(str(Path(found) / self.chosen.name))

    def _arrange(self) -> None:
        inside = QWidget()
        layout = column(inside)
        layout.addWidget(label(tr("Format"), "heading"))
        for one in FORMATS:
            made = self.formats[one.name]
            made.setObjectName(f"export_{one.name}")
            self._group.addButton(made)
            layout.addWidget(made)
            text = label(tr(one.text), "small")
            text.setIndent(_INDENT)
            layout.addWidget(text)
        layout.addStretch(1)
        frame, around = panel()
        around.addWidget(scrolled(inside))
        settings, right = panel()
        right.addWidget(label(tr("Content"), "heading"))
        right.addWidget(label(tr("Encoder of the run"), "hint"))
        right.addWidget(self.run)
        right.addWidget(label(tr("Gaze similarity"), "hint"))
        right.addWidget(self.measure)
        right.addWidget(label(tr("Licence of the data set"), "hint"))
        right.addWidget(self.licence)
        right.addWidget(self.with_images)
        right.addWidget(
            label(
                tr("Include them only if you may publish them. Images that may show a name and "
                   "have not been cleared are left out."), "small",
            )
        )  # fmt: skip
        right.addWidget(label(tr("Where to"), "heading"))
        line = row(self.place, button("export_choose", tr("Choose…"), self._ask))
        line.setStretch(0, 1)
        right.addLayout(line)
        right.addStretch(1)
        content = row(gap=2 * theme.GRID)
        content.addWidget(frame, 1)
        content.addWidget(settings, 1)
        self.body.addLayout(content, 1)
