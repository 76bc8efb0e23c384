"""Images of the hospital's archive, fetched from the worklist page."""

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit, QWidget

from app.images.pacs import credentials
from app.pages.worklist.archive_dialog import ArchiveDialog, Wanted
from app.pages.worklist.importing import ImportController
from app.pages.worklist.page import WorklistPage
from migrations.study.folder import Study
from migrations.study.schema import Image
from migrations.study.settings import StudySettings
from tests.app.images.pacs.orthanc import MISSING, REASON, orthanc


def test_the_dialog_asks_for_studies_and_hides_the_password(qtbot) -> None:
    parent, given = QWidget(), []
    qtbot.addWidget(parent)
    dialog = ArchiveDialog(parent, given.append)
    dialog.fields["url"].setText("http://127.0.0.1/dicom-web")
    assert not dialog.start.isEnabled()
    dialog.fields["PatientID"].setText("*")
    assert not dialog.start.isEnabled()  # a whole archive is never fetched
    dialog.fields["AccessionNumber"].setText("A 1")
    dialog.fields["user"].setText("anna")
    dialog.fields["password"].setText("swordfish")
    assert dialog.fields["password"].echoMode() == QLineEdit.EchoMode.Password
    assert all(line.accessibleName() for line in dialog.fields.values())
    dialog.start.click()
    assert given[0].keys == (("AccessionNumber", "A 1"),)
    assert given[0].credentials().password == "swordfish"
    assert "swordfish" not in repr(given[0])


@pytest.mark.skipif(MISSING, reason=REASON)
@pytest.mark.filterwarnings("ignore")
def test_images_come_in_from_a_real_archive_and_a_wrong_password_is_told(
    qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (credentials.USER, credentials.PASSWORD, credentials.TOKEN):
        monkeypatch.delenv(name, raising=False)
    study = Study.create(tmp_path / "study", StudySettings())
    page, parent = WorklistPage(), QObject()
    qtbot.addWidget(page)
    imports = ImportController(page, parent)
    imports.set_study(study)
    shown: list[tuple[str, list[tuple[str, str]]]] = []
    show = page.show_imported

    def kept(text, listed, *more) -> None:
        shown.append((text, listed))
        show(text, listed, *more)

    monkeypatch.setattr(page, "show_imported", kept)
    keys = (("PatientID", "1CT1"),)
    with orthanc(tmp_path, login=("anna", "swordfish")) as archive:
        assert archive.store(Path(str(get_testdata_file("CT_small.dcm"))).read_bytes())

        def fetched(password: str, listed: Path | None = None) -> tuple[str, list[tuple[str, str]]]:
            with qtbot.waitSignal(imports.changed, timeout=120_000):
                imports.fetch(
                    Wanted(archive.url, () if listed else keys, listed, None, "anna", password)
                )
                assert not page.from_archive.isEnabled()
            assert page.from_archive.isEnabled()
            return shown[-1]

        _, listed = fetched("wrong")
        assert "User or password is wrong." in listed[0][1]
        assert "--" not in listed[0][1]
        assert fetched("swordfish")[0] == "1 added."
        assert fetched("swordfish")[0] == "0 added, 1 already in the study."
        (tmp_path / "list.csv").write_text("accession\nNONE-1\n")
        assert "no images that match" in fetched("swordfish", tmp_path / "list.csv")[1][0][1]
    with study.database.read() as session:
        assert session.query(Image).count() == 1
    assert not any(b"swordfish" in p.read_bytes() for p in study.folder.rglob("*") if p.is_file())
    study.close()
    parent.deleteLater()
