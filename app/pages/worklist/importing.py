"""Imports from the worklist page: off the GUI thread, with progress, rate and stop."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog

from app.hanging.arrivals import import_cases
from app.hanging.fetch import ask_archive
from app.images.importing.elsewhere import Elsewhere
from app.images.importing.label_matching import LabelMatches, match_labels
from app.images.importing.labels import read_labels
from app.images.importing.reconciliation import (
    FILE_WITHOUT_ROW,
    Mismatch,
    Reconciliation,
    reconcile,
)
from app.images.importing.relabelling import set_labels
from app.images.importing.results import ImportResult
from app.images.importing.sources import files_of, labels_among
from app.images.pacs.line import Line
from app.pages.worklist.archive_dialog import ArchiveDialog, Wanted
from app.pages.worklist.import_list import NOTED, REFUSED, Remark
from app.pages.worklist.page import WorklistPage
from app.pages.worklist.several_studies import (
    Question,
    SeveralStudies,
    SeveralStudiesDialog,
)
from app.ui.background import Task
from app.ui.text import tr
from migrations.study.folder import Study

_FILES = (
    "All images, DICOMDIR, zip archives and labels, with or without a file extension (*);;"
    "Images, archives and labels by file extension "
    "(*.dcm *.dicom *.ima *.png *.jpg *.jpeg *.tif *.tiff *.jp2 *.zip *.csv)"
)
"""The files of most CDs have no suffix: what shows them comes first."""


_Imported = tuple[list[ImportResult], Reconciliation | None]


class ImportController(QObject):
    """One import at a time.

    Attributes
    ----------
    results
        Of the last import.
    reconciliation
        What its csv of labels and its files made of each other; None without a csv.

    Signals
    -------
    changed
        Cases were added.
    """

    changed = Signal()

    def __init__(self, page: WorklistPage, parent: QObject) -> None:
        super().__init__(parent)
        self._page = page
        self._study: Study | None = None
        self._task: Task | None = None
        self._stop = Event()
        self._started = 0.0
        self.results: list[ImportResult] = []
        self.reconciliation: Reconciliation | None = None
        page.files_chosen.connect(self.start)
        page.import_wanted.connect(self._ask_files)
        page.folder_wanted.connect(self._ask_folder)
        page.import_stopped.connect(self._stop.set)
        page.archive_wanted.connect(self._ask_archive)

    @property
    def running(self) -> bool:
        """Whether an import goes on."""
        return self._task is not None

    @property
    def study(self) -> Study | None:
        """The study imported into."""
        return self._study

    def set_study(self, study: Study | None) -> None:
        """Import into this study from now on."""
        self._study = study

    def start(self, paths: Sequence[Path]) -> None:
        """Import files and folders; the page shows how it goes.

        A csv among them says the labels and cases of the others, as `import --labels` takes it.
        """
        chosen = list(paths)
        self._start(tr("Looking for files…"), lambda study: self._work(study, chosen))

    def fetch(self, wanted: Wanted) -> None:
        """Import what an archive has of what is wanted; the page shows how it goes."""
        self._start(tr("Asking the archive…"), lambda study: self._fetched(study, wanted))

    def _start(self, text: str, work: Callable[[Study], _Imported]) -> None:
        if self._study is None or self.running:
            return
        self._stop.clear()
        self._started = time.monotonic()
        self.results, self.reconciliation = [], None
        self._page.show_import(text, 0, 0)
        study = self._study
        task = self._task = Task(lambda: work(study), self)
        task.progressed.connect(self._progressed)
        task.succeeded.connect(self._done)
        task.failed.connect(self._failed)
        task.start()

    def close(self) -> None:
        """Stop after the file at hand and wait for it."""
        self._stop.set()
        if self._task is not None:
            self._task.wait()

    def _work(self, study: Study, paths: Sequence[Path]) -> _Imported:
        labels = labels_among(paths)
        if labels is not None and paths == [labels]:
            return [], set_labels(study, read_labels(labels))
        files = files_of([path for path in paths if path != labels], leave_out=labels)
        matches = match_labels(labels, files) if labels is not None else None
        results = self._brought_in(study, files, matches)
        return results, None if matches is None else reconcile(matches, results)

    def _fetched(self, study: Study, wanted: Wanted) -> _Imported:
        def wait(seconds: float) -> None:
            self._stop.wait(seconds)

        line = Line(wanted.url, study.settings, authority=wanted.authority, wait=wait)
        with ask_archive(line, wanted.credentials(), wanted.asked()) as fetch:
            fetch.require_images()
            if fetch.found.several and not self._agreed(fetch.found.several):
                return [], None
            results = self._brought_in(study, fetch.names, None, fetch.elsewhere)
        why = tr("The archive has no such study.")
        return [
            *results,
            *(ImportResult(Path(one.text), "refused", why) for one in fetch.found.nothing),
        ], None

    def _agreed(self, several: SeveralStudies) -> bool:
        """Have the window ask whether all studies of an accession number are meant, and wait."""
        question = Question(several, self._stop)
        assert self._task is not None
        self._task.report(question)
        return question.wait()

    def _brought_in(
        self,
        study: Study,
        files: Sequence[Path],
        matches: LabelMatches | None,
        elsewhere: Elsewhere | None = None,
    ) -> list[ImportResult]:
        results: list[ImportResult] = []
        imported = import_cases(study, files, labels=matches, elsewhere=elsewhere)
        try:
            for result in imported:
                results.append(result)
                assert self._task is not None
                self._task.report((len(results), len(files)))
                if self._stop.is_set():
                    break
        finally:
            imported.close()
        return results

    def _progressed(self, told: tuple[int, int] | Question) -> None:
        if isinstance(told, Question):
            SeveralStudiesDialog(self._page.window(), told).open()
            return
        done, total = told
        rate = done / max(time.monotonic() - self._started, 1e-3)
        left = (total - done) / rate
        text = tr(
            "Importing {done:,} of {total:,} files, {rate:.1f} files/s, {left:.0f} s left",
            done=done, total=total, rate=rate, left=left,
        )  # fmt: skip
        self._page.show_import(text, done, total)

    def _done(self, imported: _Imported) -> None:
        (self.results, self.reconciliation), self._task = imported, None
        text = _summary(self.results, self._stop.is_set())
        listed = [(r.path.name, said) for r in self.results if (said := _said(r))]
        if self.reconciliation is not None:
            summary = self.reconciliation.summary
            text = f"{text} {summary}" if self.results else summary
            listed += _unmatched(self.reconciliation)
        self._page.show_imported(text, listed, remarks_of(self.results, self.reconciliation))
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self._task = None
        self._page.show_imported(tr("The import stopped."), [(tr("Import"), str(error))])
        self.changed.emit()

    def _ask_files(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self._page, tr("Import images"), "", tr(_FILES))
        if names:
            self.start([Path(name) for name in names])

    def _ask_archive(self) -> None:
        ArchiveDialog(self._page, self.fetch).open()

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self._page, tr("Import a folder of images"))
        if name:
            self.start([Path(name)])


def remarks_of(
    results: Sequence[ImportResult], reconciliation: Reconciliation | None
) -> list[Remark]:
    """Return all that an import says: refusals, what does not meet the csv, then each note."""
    refused = [Remark(REFUSED, str(r.path), r.reason) for r in results if r.status == "refused"]
    unmet = () if reconciliation is None else reconciliation.mismatches
    noted = [Remark(NOTED, str(r.path), note.text) for r in results for note in r.notes
             if r.status != "refused"]  # fmt: skip
    return [*refused, *(Remark(one.kind, _place(one), one.text) for one in unmet), *noted]


def _place(one: Mismatch) -> str:
    """Return what a mismatch is about: the csv's line, or the file that has none."""
    if one.line is None:
        return one.file
    return tr("line {line}: {image}", line=one.line, image=one.image)


def _said(result: ImportResult) -> str:
    """Return what is to be read of a file: that an image was known is told by its count."""
    if result.status == "refused":
        return result.reason
    return "; ".join(note.text for note in result.notes if note.code != "known")


def _unmatched(found: Reconciliation) -> list[tuple[str, str]]:
    """Return the rows of the csv that reached no image or contradict, as the page lists them."""
    return [
        (_place(one), f"{tr(one.kind)}: {one.text}")
        for one in found.mismatches
        if one.kind != FILE_WITHOUT_ROW
    ]


def _summary(results: Sequence[ImportResult], stopped: bool) -> str:
    counts = {s: sum(r.status == s for r in results) for s in ("accepted", "known", "refused")}
    parts = [tr("{count} added", count=f"{counts['accepted']:,}")]
    if counts["known"]:
        parts.append(tr("{count} already in the study", count=f"{counts['known']:,}"))
    if counts["refused"]:
        parts.append(tr("{count} refused", count=f"{counts['refused']:,}"))
    if stopped:
        parts.append(tr("stopped early"))
    return f"{', '.join(parts)}."
