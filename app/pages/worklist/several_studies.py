"""Asks whether all studies of one accession number are meant: which and how many there are."""

from collections.abc import Sequence
from threading import Event

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.images.pacs.asked import Asked
from app.images.pacs.dicomweb import FoundStudy
from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label
from app.ui.text import tr

SeveralStudies = Sequence[tuple[Asked, Sequence[FoundStudy]]]
_WIDTH = 640
_LOOK_S = 0.1


class Question:
    """What a thread that waits asks a person; stopping the work is a no, and so the reverse.

    Parameters
    ----------
    stop
        Set when the work is to end.
    """

    def __init__(self, several: SeveralStudies, stop: Event) -> None:
        self.several = several
        self._stop, self._given = stop, Event()
        self._is_yes = False

    def answer(self, is_yes: bool) -> None:
        """Answer it; the first answer counts."""
        if not self._given.is_set():
            self._is_yes = is_yes
            self._given.set()

    def wait(self) -> bool:
        """Return the answer once it is given; no where the work is stopped before."""
        while not self._given.wait(_LOOK_S):
            if self._stop.is_set():
                self.answer(False)
        if not self._is_yes:
            self._stop.set()
        return self._is_yes


class SeveralStudiesDialog(Dialog):
    """Lists the studies of each accession number that has more than one."""

    def __init__(self, parent: QWidget, question: Question) -> None:
        several = question.several
        title = tr("Several studies with one accession number")
        super().__init__(parent, "several_studies", title, width=_WIDTH)
        self.body.addWidget(label(_said(several)))
        self.list = QPlainTextEdit("\n".join(_lines(several)))
        self.list.setObjectName("listed_studies")
        self.list.setAccessibleName(tr("Studies"))
        self.list.setReadOnly(True)
        self.list.setTabChangesFocus(True)
        self.body.addWidget(self.list)
        self.body.addWidget(
            label(tr("To import only some of them, list their Study Instance UIDs."), "hint")
        )
        self.rejected.connect(lambda: question.answer(False))
        self.accepted.connect(lambda: question.answer(True))
        self.end_with(
            button("import_no_study", tr("Cancel the import"), self.reject),
            button("import_all_studies", tr("Import all of them"), self.accept, role="primary"),
        )


def _said(several: SeveralStudies) -> str:
    if len(several) == 1:
        asked, studies = several[0]
        return tr(
            "The archive has {count} studies with the accession number {number}. If you continue, "
            "all of them are imported.",
            count=len(studies), number=_number(asked),
        )  # fmt: skip
    return tr(
        "The archive has more than one study for each of {count} accession numbers. If you "
        "continue, all of them are imported.",
        count=len(several),
    )


def _lines(several: SeveralStudies) -> list[str]:
    lines = []
    for asked, studies in several:
        lines.append(tr("Accession number {number}:", number=_number(asked)))
        lines += [f"    {study.text}" for study in sorted(studies, key=lambda one: one.text)]
    return lines


def _number(asked: Asked) -> str:
    return dict(asked.keys)["AccessionNumber"]
