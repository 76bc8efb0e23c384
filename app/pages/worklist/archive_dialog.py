"""Asks which studies of the hospital's archive are wanted, and who asks for them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from PySide6.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from app.images.pacs.asked import Asked, read_list
from app.images.pacs.credentials import Credentials, credentials_for
from app.ui.dialogs import Dialog
from app.ui.small_widgets import button, label, row
from app.ui.text import tr

_WIDTH = 640
_FILES = ("listed", "authority")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is fetched from where; the password lives as long as this.

    Attributes
    ----------
    keys
        Keywords of DICOM with what they must be.
    listed, authority
        A list of studies; the certificates that sign the archive's.
    """

    url: str
    keys: tuple[tuple[str, str], ...]
    listed: Path | None
    authority: Path | None
    user: str
    password: str = field(default="", repr=False)

    def asked(self) -> list[Asked]:
        """Return the questions: one, or one for each line of the list.

        Raises
        ------
        ImportStopped
            If the list cannot be read.
        """
        if self.listed is None:
            return [Asked(self.keys)]
        return [Asked((*line, *self.keys)) for line in read_list(self.listed)]

    def credentials(self) -> Credentials:
        """Return what was typed, else what the environment or the keyring knows."""
        if self.user and self.password:
            return Credentials(self.user, self.password)
        return credentials_for(urlsplit(self.url).hostname or "", self.user)


class ArchiveDialog(Dialog):
    """URL, studies, user and password; what is typed is kept nowhere.

    Attributes
    ----------
    fields
        The lines that are typed in, by name.
    """

    def __init__(self, parent: QWidget, given: Callable[[Wanted], object]) -> None:
        title = tr("From the hospital's archive (DICOMweb)")
        super().__init__(parent, "archive", title, width=_WIDTH)
        self._given = given
        self.fields: dict[str, QLineEdit] = {}
        text = tr("Images are de-identified before anything is written. Say which studies you "
                  "want; a whole archive is never fetched.")  # fmt: skip
        self.body.addWidget(label(text, "hint"))
        form = QFormLayout()
        for title, name, example in (
            (tr("Address"), "url", "https://pacs.example.org/dicom-web"),
            (tr("Study"), "StudyInstanceUID", tr("Study Instance UID")),
            (tr("Accession number"), "AccessionNumber", ""),
            (tr("Patient ID"), "PatientID", ""),
            (tr("Study date"), "StudyDate", "20240101-20240331"),
            (tr("Modality"), "ModalitiesInStudy", "MG"),
            (tr("List of studies"), "listed", tr("Accession numbers or a CSV file")),
            (tr("User"), "user", ""),
            (tr("Password"), "password", tr("Leave empty to use the keyring")),
            (tr("Certificates"), "authority", tr("Only if the hospital uses its own")),
        ):
            line = self._line(title, name, example)
            form.addRow(title, self._with_choice(line) if name in _FILES else line)
        self.fields["password"].setEchoMode(QLineEdit.EchoMode.Password)
        self.body.addLayout(form)
        self.start = button("archive_start", tr("Import"), self._accept, role="primary")
        self.end_with(button("archive_cancel", tr("Cancel"), self.reject), self.start)
        for each in self.fields.values():
            each.textChanged.connect(self._allow)
        self._allow()

    def wanted(self) -> Wanted:
        """Return what was typed."""
        said = {name: each.text().strip() for name, each in self.fields.items()}
        keys = tuple(
            (name, value) for name, value in said.items() if name[0].isupper() and value.strip("*?")
        )
        listed, authority = (Path(said[n]) if said[n] else None for n in _FILES)
        password = self.fields["password"].text()
        return Wanted(said["url"], keys, listed, authority, said["user"], password)

    def _accept(self) -> None:
        wanted = self.wanted()
        self.accept()
        self._given(wanted)

    def _allow(self) -> None:
        wanted = self.wanted()
        self.start.setEnabled(bool(wanted.url and (wanted.keys or wanted.listed)))

    def _line(self, title: str, name: str, example: str) -> QLineEdit:
        made = self.fields[name] = QLineEdit()
        made.setObjectName(f"archive_{name}")
        made.setAccessibleName(title)
        made.setPlaceholderText(example)
        made.setToolTip(example)
        return made

    def _with_choice(self, line: QLineEdit) -> QHBoxLayout:
        def choose() -> None:
            found, _ = QFileDialog.getOpenFileName(self, tr("Choose a file"))
            if found:
                line.setText(found)

        return row(line, button(f"{line.objectName()}_choose", tr("Choose…"), choose))
